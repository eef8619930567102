package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpackTarget writes an archive's entries below one folder, whatever the archive says (runtimes.md §4.3): no absolute
// names, no `..`, no links that leave the folder, no more entries and bytes than the bounds. Links are made when all
// files are written, so that nothing is ever written through one.
type unpackTarget struct {
	folder  string
	entries int
	bytes   int64
	links   []entryLink
	copies  []entryLink
}

type entryLink struct{ path, to string }

func newUnpackTarget(folder string) *unpackTarget {
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	return &unpackTarget{folder: folder}
}

func (t *unpackTarget) directory(name string) error {
	path, err := t.enter(name)
	if err != nil {
		return err
	}
	return os.MkdirAll(path, 0o755)
}

func (t *unpackTarget) file(name string, executable bool, content io.Reader) error {
	path, err := t.enter(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer file.Close()
	left := archiveBytesMax - t.bytes
	n, err := io.Copy(file, io.LimitReader(content, left+1))
	t.bytes += n
	if err == nil && n > left {
		err = fmt.Errorf("more than %d bytes unpacked", archiveBytesMax)
	}
	return err
}

// link notes a symbolic link; `to` is relative to the place of the link.
func (t *unpackTarget) link(name, to string) error {
	path, err := t.enter(name)
	if err != nil {
		return err
	}
	if filepath.IsAbs(to) || to == "" || len(to) > linkBytesMax {
		return fmt.Errorf("link leaves the archive: %s", name)
	}
	t.links = append(t.links, entryLink{path, to})
	return nil
}

// copy notes a second name of a file in the archive; it becomes a copy.
func (t *unpackTarget) copy(name, of string) error {
	path, err := t.enter(name)
	if err != nil {
		return err
	}
	from, err := t.path(of)
	if err != nil {
		return err
	}
	t.copies = append(t.copies, entryLink{path, from})
	return nil
}

// finish makes the links and checks where they really lead.
func (t *unpackTarget) finish() error {
	for _, entry := range t.copies {
		if err := t.copyFile(entry.to, entry.path); err != nil {
			return err
		}
	}
	isLink := map[string]bool{}
	for _, entry := range t.links {
		isLink[entry.path] = true
	}
	for _, entry := range t.links {
		for above := filepath.Dir(entry.path); t.holds(above); above = filepath.Dir(above) {
			if isLink[above] {
				return fmt.Errorf("an entry lies below a link: %s", entry.path)
			}
		}
		if err := os.MkdirAll(filepath.Dir(entry.path), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(entry.to, entry.path); err != nil {
			return err
		}
	}
	for _, entry := range t.links {
		if err := t.checkLink(entry); err != nil {
			return err
		}
	}
	return nil
}

func (t *unpackTarget) copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(t.folder, to)
	if err != nil {
		return err
	}
	return t.file(name, info.Mode()&0o111 != 0, source)
}

// checkLink follows a link step by step, so that one to nothing (yet) is judged as well.
func (t *unpackTarget) checkLink(entry entryLink) error {
	place := filepath.Dir(entry.path)
	for _, step := range strings.Split(entry.to, "/") {
		place = filepath.Join(place, step)
		if real, err := filepath.EvalSymlinks(place); err == nil {
			place = real
		}
		if !t.holds(place) {
			return fmt.Errorf("link leaves the archive: %s", entry.to)
		}
	}
	return nil
}

func (t *unpackTarget) enter(name string) (string, error) {
	t.entries++
	if t.entries > archiveEntriesMax {
		return "", fmt.Errorf("more than %d entries", archiveEntriesMax)
	}
	return t.path(name)
}

func (t *unpackTarget) path(name string) (string, error) {
	if filepath.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("name leaves the archive: %s", name)
	}
	return filepath.Join(t.folder, name), nil
}

func (t *unpackTarget) holds(path string) bool {
	return path == t.folder || strings.HasPrefix(path, t.folder+string(filepath.Separator))
}
