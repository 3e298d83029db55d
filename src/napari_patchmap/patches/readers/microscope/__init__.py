"""Files of microscope makers (CZI, ND2, LIF); start with :mod:`microscope_stack`.

One module a maker, each a :class:`microscope_file.MicroscopeFile`; which there are stands in
:mod:`makers`.
"""
