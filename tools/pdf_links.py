"""Links and bookmarks of the book as one PDF: what led to pages of the site leads to its own pages.

Chromium prints a link to a place on the same page as a named destination, and one to another page
as the address on the server that it was printed from.
"""

from urllib.parse import unquote, urldefrag

from pypdf import PdfWriter
from pypdf.generic import Destination, Fit, NameObject, TextStringObject

Place = tuple[int, float | None]  # the page, from 0, and the height on it; None is its top


def places(parts) -> dict[tuple[str, str], Place]:
    """(page of the site, fragment or "") -> where that is in the file."""
    found, first = {}, 0
    for part in parts:
        found[part.name, ""] = first, None
        for name, destination in part.pdf.named_destinations.items():
            page = first + part.pdf.get_destination_page_number(destination)
            found[part.name, unquote(name.removeprefix("/"))] = page, destination.top
        first += len(part.pdf.pages)
    return found


def lead_links(book: PdfWriter, parts, site: str, public_site: str) -> None:
    """Lead every link on; those to pages that are not in the file go to the public site."""
    found = places(parts)
    names = [part.name for part in parts for _ in part.pdf.pages]
    for name, sheet in zip(names, book.pages, strict=True):
        for annotation in (each.get_object() for each in sheet.get("/Annots", [])):
            lead(book, annotation, name, found, site, public_site)


def lead(book, link, name: str, found: dict, site: str, public_site: str) -> None:
    """Lead one link, which is on the page `name` of the site."""
    if "/Dest" in link:
        address, fragment = name, link["/Dest"].removeprefix("/")
    else:
        uri = link["/A"]["/URI"]
        if not uri.startswith(site):
            return
        address, fragment = urldefrag(uri.removeprefix(site))
    address = unquote(address).removesuffix(".html")
    place = found.get((address, unquote(fragment))) or found.get((address, ""))
    if place is None:
        link["/A"][NameObject("/URI")] = TextStringObject(public_site + uri.removeprefix(site))
        return
    link.pop("/A", None)
    page, top = place
    target = Destination("", book.pages[page].indirect_reference, Fit.xyz(top=top))
    link[NameObject("/Dest")] = target.dest_array


def add_outline(book: PdfWriter, parts) -> None:
    """A bookmark for each heading, below that of the level above."""
    found = places(parts)
    for part in parts:
        page, _ = found[part.name, ""]
        above = [book.add_outline_item(title=part.title or "Cover", page_number=page)]
        for level, text, fragment in part.headings[1:]:
            page, top = found.get((part.name, fragment), (page, None))
            del above[level - 1 :]
            mark = book.add_outline_item(
                title=text, page_number=page, parent=above[-1], fit=Fit.xyz(top=top)
            )
            above.append(mark)
