package artcache

import (
	"context"
	"encoding/json"
	"fmt"
)

// PackageSet is an update description JSON, or that of additional content: the
// pieces of a package (docs/protocol.md §8).
type PackageSet struct {
	Size   int64   `json:"size"` // bytes of the whole
	Digest string  `json:"digest,omitempty"`
	Pieces []Piece `json:"pieces"`
}

// A Piece is one file of a package.
type Piece struct {
	URL    string `json:"url"`
	Offset int64  `json:"offset"` // bytes
	Size   int64  `json:"size"`   // bytes
	Hash   string `json:"hash,omitempty"`
}

type packageSetWire struct {
	OriginalFileSize   int64       `json:"originalFileSize"`
	PackageDigest      string      `json:"packageDigest"`
	NumberOfSplitFiles int         `json:"numberOfSplitFiles"`
	Pieces             []pieceWire `json:"pieces"`
}

type pieceWire struct {
	URL        string `json:"url"`
	FileOffset int64  `json:"fileOffset"`
	FileSize   int64  `json:"fileSize"`
	HashValue  string `json:"hashValue"`
}

// ParsePackageSet reads the pieces of a package. Their count must be the one
// that the document states, and none may reach outside of the whole.
func ParsePackageSet(data []byte) (*PackageSet, error) {
	var w packageSetWire
	if err := decodeJSON(data, &w); err != nil {
		return nil, err
	}
	if len(w.Pieces) == 0 || len(w.Pieces) > maxList || len(w.Pieces) != w.NumberOfSplitFiles {
		return nil, fmt.Errorf("%w: %d pieces of %d", ErrMalformed, len(w.Pieces), w.NumberOfSplitFiles)
	}
	s := &PackageSet{Size: w.OriginalFileSize, Digest: clean(w.PackageDigest)}
	for _, p := range w.Pieces {
		if p.FileOffset < 0 || p.FileSize < 0 || p.FileOffset > s.Size || p.FileSize > s.Size-p.FileOffset {
			return nil, fmt.Errorf("%w: a piece outside of its package", ErrMalformed)
		}
		s.Pieces = append(s.Pieces, Piece{URL: clean(p.URL), Offset: p.FileOffset, Size: p.FileSize, Hash: clean(p.HashValue)})
	}
	return s, nil
}

// FormatPackageSet writes the document that ParsePackageSet reads.
func FormatPackageSet(s *PackageSet) []byte {
	w := packageSetWire{OriginalFileSize: s.Size, PackageDigest: s.Digest, NumberOfSplitFiles: len(s.Pieces)}
	for _, p := range s.Pieces {
		w.Pieces = append(w.Pieces, pieceWire{URL: p.URL, FileOffset: p.Offset, FileSize: p.Size, HashValue: p.Hash})
	}
	data, _ := json.Marshal(w) // strings and numbers alone: cannot fail
	return data
}

// Packages returns the pieces of a patch, by the address of any of its files;
// Updates gives one as Update.Manifest.
func (c *Cache) Packages(ctx context.Context, address string) (*PackageSet, error) {
	a, _, err := ParsePackageAddress(canonical(c.fetcher.sites, address))
	if err != nil {
		return nil, err
	}
	if a.ContentID == "" {
		return nil, fmt.Errorf("%w: a PlayGo manifest does not name its package", ErrAddress)
	}
	return document(ctx, c, packagesResource(a.File(DescriptionFile)), ParsePackageSet)
}

// An Addon is additional content: its pieces, and the addresses of its files.
type Addon struct {
	PackageSet

	ContentID   string `json:"content_id"`
	Description string `json:"description_url"`
	Package     string `json:"package_url"`
	DigestFile  string `json:"digest_url"`
}

// Addon returns additional content by the address of any of its files.
func (c *Cache) Addon(ctx context.Context, address string) (*Addon, error) {
	a, _, err := ParseAddonAddress(canonical(c.fetcher.sites, address))
	if err != nil {
		return nil, err
	}
	set, err := document(ctx, c, packagesResource(a.File(DescriptionFile)), ParsePackageSet)
	if err != nil {
		return nil, err
	}
	return &Addon{
		PackageSet: *set, ContentID: a.ContentID,
		Description: a.File(DescriptionFile), Package: a.File(PackageFile), DigestFile: a.File(DigestFile),
	}, nil
}

func packagesResource(url string) resource {
	return resource{key: "packages/" + hashOf([]byte(url)), url: url, accept: "application/json", fresh: freshPackages}
}
