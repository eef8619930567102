"""Uploaded code as files below one folder, whatever an archive says (runtimes.md §4.3): no absolute names, no `..`, no
links that leave the folder, no more entries and bytes than the bounds."""

import os

from . import bounds


class Offence(Exception):
    """The archive is broken or reaches outside of its folder."""


def extract(code, folder):
    """A zip or tar.gz is unpacked; anything else becomes the file `exec`. Raises Offence."""
    os.makedirs(folder)
    target = Target(os.path.realpath(folder))
    if code[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        unzip(code, target)
    elif code[:3] == b"\x1f\x8b\x08":
        untar(code, target)
    else:
        with open(os.path.join(folder, "exec"), "wb") as file:
            file.write(code)


def unzip(code, target):
    import io
    import stat
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            for entry in archive.infolist():
                mode = entry.external_attr >> 16
                if entry.filename.endswith("/"):
                    target.directory(entry.filename)
                elif stat.S_ISLNK(mode):
                    with archive.open(entry) as content:
                        target.link(entry.filename, content.read(bounds.LINK_BYTES_MAX + 1).decode())
                else:
                    with archive.open(entry) as content:
                        target.file(entry.filename, mode & 0o111, content)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise Offence(str(error)) from None
    target.finish()


def untar(code, target):
    import io
    import tarfile
    import zlib

    try:
        with tarfile.open(fileobj=io.BytesIO(code), mode="r|gz") as archive:
            for entry in archive:
                if entry.isreg():
                    target.file(entry.name, entry.mode & 0o111, archive.extractfile(entry))
                elif entry.isdir():
                    target.directory(entry.name)
                elif entry.issym():
                    target.link(entry.name, entry.linkname)
                elif entry.islnk():
                    target.copy(entry.name, entry.linkname)
                else:
                    raise Offence("unsupported entry: " + entry.name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Offence(str(error)) from None
    target.finish()


class Target:
    """Links are made when all files are written, so that nothing is ever written through one."""

    def __init__(self, folder):
        self.folder = folder
        self.entries = 0
        self.bytes = 0
        self.links = {}
        self.copies = []

    def directory(self, name):
        os.makedirs(self.enter(name), exist_ok=True)

    def file(self, name, executable, content):
        path = self.enter(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            while True:
                part = content.read(1 << 16)
                if not part:
                    break
                self.bytes += len(part)
                if self.bytes > bounds.ARCHIVE_BYTES_MAX:
                    raise Offence("more than %d bytes unpacked" % bounds.ARCHIVE_BYTES_MAX)
                file.write(part)
        if executable:
            os.chmod(path, 0o755)

    def link(self, name, to):
        """`to` is relative to the place of the link."""
        path = self.enter(name)
        if not to or os.path.isabs(to) or len(to) > bounds.LINK_BYTES_MAX:
            raise Offence("link leaves the archive: " + name)
        self.links[path] = to

    def copy(self, name, of):
        """A second name of a file in the archive; it becomes a copy."""
        self.copies.append((self.enter(name), self.path(of)))

    def finish(self):
        """Makes the links and checks where they really lead."""
        import shutil

        for path, of in self.copies:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(of, path)
        for path, to in self.links.items():
            above = os.path.dirname(path)
            while self.holds(above):
                if above in self.links:
                    raise Offence("an entry lies below a link: " + path)
                above = os.path.dirname(above)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            try:
                os.symlink(to, path)
            except FileExistsError:
                raise Offence("two entries of one name: " + path) from None
        for path, to in self.links.items():
            place = os.path.dirname(path)
            for step in to.split("/"):
                place = os.path.realpath(os.path.join(place, step))
                if not self.holds(place):
                    raise Offence("link leaves the archive: " + to)

    def enter(self, name):
        self.entries += 1
        if self.entries > bounds.ARCHIVE_ENTRIES_MAX:
            raise Offence("more than %d entries" % bounds.ARCHIVE_ENTRIES_MAX)
        return self.path(name)

    def path(self, name):
        if os.path.isabs(name) or "\\" in name or "\0" in name or ".." in name.split("/"):
            raise Offence("name leaves the archive: " + name)
        return os.path.normpath(os.path.join(self.folder, name))

    def holds(self, path):
        return path == self.folder or path.startswith(self.folder + os.sep)
