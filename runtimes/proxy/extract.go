package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// extract writes uploaded code into a fresh folder (runtimes.md §2.2): the entries of a zip or tar.gz, a jar as it is
// where that is wanted, anything else as the executable `exec`.
func extract(code []byte, folder, saveJar string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	switch {
	case isZip(code):
		archive, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
		if err != nil {
			return err
		}
		if saveJar != "" && hasManifest(archive) {
			return os.WriteFile(filepath.Join(folder, saveJar), code, 0o644)
		}
		return unzip(archive, folder)
	case isGzip(code):
		return untar(code, folder)
	default:
		return os.WriteFile(filepath.Join(folder, "exec"), code, 0o755)
	}
}

func isZip(code []byte) bool {
	return len(code) >= 4 && code[0] == 'P' && code[1] == 'K' &&
		(code[2] == 3 && code[3] == 4 || code[2] == 5 && code[3] == 6 || code[2] == 7 && code[3] == 8)
}

func isGzip(code []byte) bool {
	return len(code) >= 3 && code[0] == 0x1f && code[1] == 0x8b && code[2] == 8
}

// isExecutable says whether a file needs no compiler: an ELF binary or a script.
func isExecutable(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var head [53]byte
	n, _ := io.ReadFull(file, head[:])
	return n > 52 && string(head[:4]) == "\x7fELF" || n >= 2 && string(head[:2]) == "#!"
}

func hasManifest(archive *zip.Reader) bool {
	for _, entry := range archive.File {
		if entry.Name == "META-INF/MANIFEST.MF" {
			return true
		}
	}
	return false
}

func unzip(archive *zip.Reader, folder string) error {
	target := newUnpackTarget(folder)
	for _, entry := range archive.File {
		mode := entry.Mode()
		switch {
		case strings.HasSuffix(entry.Name, "/"):
			if err := target.directory(entry.Name); err != nil {
				return err
			}
		case mode&os.ModeSymlink != 0:
			if err := unzipLink(target, entry); err != nil {
				return err
			}
		case mode.IsRegular():
			if err := unzipFile(target, entry); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unsupported entry: %s", entry.Name)
		}
	}
	return target.finish()
}

func unzipFile(target *unpackTarget, entry *zip.File) error {
	content, err := entry.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	return target.file(entry.Name, entry.Mode()&0o111 != 0, content)
}

func unzipLink(target *unpackTarget, entry *zip.File) error {
	content, err := entry.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	to, err := io.ReadAll(io.LimitReader(content, linkBytesMax+1))
	if err != nil {
		return err
	}
	return target.link(entry.Name, string(to))
}

func untar(code []byte, folder string) error {
	unpacked, err := gzip.NewReader(bytes.NewReader(code))
	if err != nil {
		return err
	}
	target := newUnpackTarget(folder)
	archive := tar.NewReader(io.LimitReader(unpacked, archiveBytesMax+archiveEntriesMax*1024))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return target.finish()
		}
		if err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeReg:
			err = target.file(header.Name, header.Mode&0o111 != 0, archive)
		case tar.TypeDir:
			err = target.directory(header.Name)
		case tar.TypeSymlink:
			err = target.link(header.Name, header.Linkname)
		case tar.TypeLink:
			err = target.copy(header.Name, header.Linkname)
		default:
			err = fmt.Errorf("unsupported entry: %s", header.Name)
		}
		if err != nil {
			return err
		}
	}
}
