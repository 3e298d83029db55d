"""DICOM: start with :func:`dicom_stack.read`; whole slides are cut by ``slides.dicom_slide``.

:mod:`dicom_file` reads headers and frames through pydicom, which only this format needs.
"""
