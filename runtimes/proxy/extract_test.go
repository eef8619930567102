package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// entry is a file of a test's archive; `link` makes it a symbolic one.
type entry struct {
	name, content, link string
	mode                os.FileMode
}

func zipOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		mode, content := e.mode|0o644, e.content
		if e.link != "" {
			mode, content = os.ModeSymlink|0o777, e.link
		}
		header.SetMode(mode)
		into, err := archive.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		into.Write([]byte(content))
	}
	archive.Close()
	return out.Bytes()
}

func tarGzOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, header := range headers {
		content := ""
		if header.Typeflag == tar.TypeReg {
			content = "content"
		}
		header.Size = int64(len(content))
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		archive.Write([]byte(content))
	}
	archive.Close()
	zipped.Close()
	return out.Bytes()
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExtractMakesAnExecutableOfAnythingThatIsNoArchive(t *testing.T) {
	folder := t.TempDir()
	if err := extract([]byte("#!/bin/sh\n"), folder, ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(folder, "exec"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Fatal(info, err)
	}
	if !isExecutable(filepath.Join(folder, "exec")) {
		t.Error("a script needs no compiler")
	}
}

func TestExtractUnpacksZipWithModesAndLinks(t *testing.T) {
	folder := t.TempDir()
	code := zipOf(t, entry{name: "bin/exec", content: "#!/bin/sh\n", mode: 0o755}, entry{name: "lib/", content: ""},
		entry{name: "exec", link: "bin/exec"}, entry{name: "nowhere", link: "missing"})
	if err := extract(code, folder, ""); err != nil {
		t.Fatal(err)
	}
	if contentOf(t, filepath.Join(folder, "exec")) != "#!/bin/sh\n" {
		t.Error("the link leads to the file")
	}
	info, _ := os.Stat(filepath.Join(folder, "bin/exec"))
	if info.Mode().Perm()&0o100 == 0 {
		t.Error("the executable bit is kept")
	}
}

func TestExtractUnpacksTarGz(t *testing.T) {
	folder := t.TempDir()
	code := tarGzOf(t, tar.Header{Name: "a/file", Typeflag: tar.TypeReg, Mode: 0o755},
		tar.Header{Name: "copy", Typeflag: tar.TypeLink, Linkname: "a/file"},
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "a/file"})
	if err := extract(code, folder, ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/file", "copy", "link"} {
		if contentOf(t, filepath.Join(folder, name)) != "content" {
			t.Error(name)
		}
	}
}

func TestExtractKeepsAJarWhereItIsWanted(t *testing.T) {
	jar := zipOf(t, entry{name: "META-INF/MANIFEST.MF", content: "Manifest-Version: 1.0\n"})
	plain := zipOf(t, entry{name: "file", content: "x"})
	for _, c := range []struct {
		code           []byte
		saveJar, wants string
	}{{jar, "exec.jar", "exec.jar"}, {jar, "", "META-INF/MANIFEST.MF"}, {plain, "exec.jar", "file"}} {
		folder := t.TempDir()
		if err := extract(c.code, folder, c.saveJar); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(folder, c.wants)); err != nil {
			t.Error(err)
		}
	}
}

func TestExtractRefusesArchivesThatReachOutside(t *testing.T) {
	hostile := map[string][]byte{
		"up":                zipOf(t, entry{name: "../x", content: "x"}),
		"absolute":          zipOf(t, entry{name: "/tmp/x", content: "x"}),
		"backslash":         zipOf(t, entry{name: "..\\x", content: "x"}),
		"link out":          zipOf(t, entry{name: "passwd", link: "/etc/passwd"}),
		"link up":           zipOf(t, entry{name: "up", link: "../.."}),
		"below a link":      zipOf(t, entry{name: "sub", link: "."}, entry{name: "sub/out", link: ".."}),
		"through a link":    zipOf(t, entry{name: "sub", link: "."}, entry{name: "sub/file", content: "x"}),
		"link after link":   zipOf(t, entry{name: "deep/here", link: ".."}, entry{name: "out", link: "deep/here/../x"}),
		"tar up":            tarGzOf(t, tar.Header{Name: "../x", Typeflag: tar.TypeReg}),
		"tar absolute":      tarGzOf(t, tar.Header{Name: "/tmp/x", Typeflag: tar.TypeReg}),
		"tar hard link out": tarGzOf(t, tar.Header{Name: "c", Typeflag: tar.TypeLink, Linkname: "../../x"}),
		"tar device":        tarGzOf(t, tar.Header{Name: "d", Typeflag: tar.TypeChar}),
		"cut":               zipOf(t, entry{name: "file", content: "x"})[:40],
	}
	for name, code := range hostile {
		if err := extract(code, t.TempDir(), ""); err == nil {
			t.Error(name + " was unpacked")
		}
	}
}

func TestExtractKnowsExecutables(t *testing.T) {
	self, _ := os.Executable()
	if !isExecutable(self) {
		t.Error("this test is an ELF binary")
	}
	short := filepath.Join(t.TempDir(), "short")
	os.WriteFile(short, []byte("\x7fELF"), 0o755)
	if isExecutable(short) {
		t.Error("52 bytes are no binary")
	}
}
