"""What the columns of people's tables mean, told from the names that programs give them.

scikit-image (``label``, ``centroid-0``), CellProfiler (``ImageNumber``, ``ObjectNumber``,
``Nuclei_Location_Center_X``), QuPath (``Object ID``, ``Centroid X µm``), TrackMate (``ID``,
``TRACK_ID``, ``FRAME``, ``POSITION_X``), ImageJ and MorphoLibJ (``Label``, ``Slice``, ``XM``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Names that say that a number is that of an object, the clearest first.
OBJECT_IDS = (
    "labelid", "objectnumber", "numberobjectnumber", "objectid", "objectlabel", "cellid",
    "cellnumber", "celllabel", "nucleusid", "nucleiid", "nucleusnumber", "maskid", "masklabel",
    "instanceid", "segmentid", "segmentationid", "segid", "regionid", "regionlabel", "roiid",
    "labelvalue", "labelnumber", "labelindex",
)  # fmt: skip

#: Names of columns that may number objects: believed if the numbers are those of objects.
MAYBE_IDS = ("label", "id", "object", "cell", "nucleus", "roi", "spotid", "trackid", "track")

#: Names of the frame of a time series, those that count from 0 first.
FRAMES = (
    "frame", "t", "time", "framenumber", "frameindex", "timeindex", "metadataframe",
    "metadatat", "metadatatimepoint", "timepoint", "imagenumber", "slice", "plane", "position",
)  # fmt: skip

#: Of these, the ones in which programs count from 1.
FROM_ONE = ("imagenumber", "slice", "metadatatimepoint", "timepoint", "framenumber")

#: Names of columns of classes, where none is called label.
CLASSES = (
    "class", "classification", "classname", "classlabel", "category", "celltype", "cellclass",
)  # fmt: skip

#: Other names that mean which one a thing is, not what it is.
_IDS = {
    *OBJECT_IDS, *(name for name in MAYBE_IDS if name != "label"), "index", "imagenumber",
    "imageid", "number", "nr", "no", "row", "uuid", "guid", "barcode", "parent", "parentid",
    "objectname", "imagename", "filename", "file", "image", "path", "key", "patch", "frame",
    "slice",
}  # fmt: skip

_X = re.compile(
    r"(.*(centroid|center|centre|centerofmass|position|pos|location).*)?x(px|um|µm|μm|pixels?)?"
    r"|.*centroid1|.*weightedcentroid1|xm|.*locationcenterx|.*areashapecenterx"
).fullmatch
_Y = re.compile(
    r"(.*(centroid|center|centre|centerofmass|position|pos|location).*)?y(px|um|µm|μm|pixels?)?"
    r"|.*centroid0|.*weightedcentroid0|ym|.*locationcentery|.*areashapecentery"
).fullmatch


def plain(name: str) -> str:
    """Return a column's name in small letters and digits: ``Object ID`` is ``objectid``."""
    return re.sub(r"[\W_]+", "", str(name).casefold())


def named(columns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the columns with one of these names, in the order of the names.

    CellProfiler puts the object before the name: ``Nuclei_ObjectNumber``.
    """
    plains = {column: plain(column) for column in columns}
    found: list[str] = []
    for name in names:
        found += [column for column, said in plains.items() if said == name]
        if name in ("objectnumber", "imagenumber"):
            found += [
                column
                for column, said in plains.items()
                if said.endswith(name) and said != name and "parent" not in said
            ]
    return list(dict.fromkeys(found))


def means_id(column: str) -> bool:
    """Whether a name says which one a thing is, so that it is nobody's class."""
    said = plain(column)
    ends = re.search(
        r"(^|[\W_])(id|uid|uuid|nr|index|number)$|[a-z](ID|Id|Number)$", str(column)
    )
    return said in _IDS or ends is not None or "parent" in said


def places(columns: Iterable[str]) -> tuple[str, str] | None:
    """Return the columns of an object's x and y, None if there are no such two."""
    columns = list(columns)
    x = next((column for column in columns if _X(plain(column))), None)
    y = next((column for column in columns if _Y(plain(column))), None)
    return None if x is None or y is None else (x, y)
