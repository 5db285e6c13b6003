package artcache

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the address is made with it; it protects nothing
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Keys of the hashes in addresses (docs/protocol.md §8).
const (
	keyMetadata = "F5DE66D2680E255B2DF79E74F890EBF349262F618BCAE2A9ACCDEE5156CE8DF2CDF2D48C71173CDC2594465B87405D197CF1AED3B7E9671EEB56CA6753C2E6B0"
	keyUpdates  = "AD62E37F905E06BC19593142281C112CEC0E7EC3E97EFDCAEFCDBAAFA6378D84"
)

// Addresses of the system lists (docs/protocol.md §8).
const (
	ServiceListAddress = "https://" + hostLists + "/ps4-eb/servicelist/servicelist.xml"
	LaunchListAddress  = "https://" + hostLists + "/ps4-eb/applaunchlink/applaunchlink.xml"
)

// MetadataHash returns the hash in the address of a title's metadata.
func MetadataHash(titleID string) string {
	key, _ := hex.DecodeString(keyMetadata)
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(titleID + "_00"))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

// UpdatesHash returns the hash in the address of a title's update description.
func UpdatesHash(titleID string) string {
	key, _ := hex.DecodeString(keyUpdates)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("np_" + titleID))
	return hex.EncodeToString(mac.Sum(nil))
}

// MetadataAddress returns the address of a title's metadata JSON.
func MetadataAddress(titleID string) string {
	return fmt.Sprintf("http://%s/tmdb2/%s_00_%s/%[2]s_00.json", hostTMDB, titleID, MetadataHash(titleID))
}

// ParseMetadataAddress returns the title id of a MetadataAddress.
func ParseMetadataAddress(s string) (string, error) {
	return parseHashed(s, "/tmdb2/", MetadataAddress)
}

// UpdatesAddress returns the address of a title's update description XML.
func UpdatesAddress(titleID string) string {
	return fmt.Sprintf("http://%s/plo/np/%s/%s/%[2]s-ver.xml", hostUpdates, titleID, UpdatesHash(titleID))
}

// ParseUpdatesAddress returns the title id of an UpdatesAddress.
func ParseUpdatesAddress(s string) (string, error) {
	return parseHashed(s, "/plo/np/", UpdatesAddress)
}

// parseHashed reads the title id behind prefix, and holds the address against
// the one that build makes of it.
func parseHashed(s, prefix string, build func(string) string) (string, error) {
	_, rest, _ := strings.Cut(s, prefix)
	if len(rest) < 9 || !isTitleID(rest[:9]) {
		return "", fmt.Errorf("%w: no title id in %.200q", ErrAddress, s)
	}
	want := build(rest[:9])
	if s != want && s != "https"+strings.TrimPrefix(want, "http") {
		return "", fmt.Errorf("%w: wrong host, path or hash in %.200q", ErrAddress, s)
	}
	return rest[:9], nil
}

// ContainerAddress is the address of a title container of the PS Store, or of
// the image that belongs to it.
type ContainerAddress struct {
	Country, Language string // two small letters each
	TitleID           string
	Image             bool
}

// String returns the address.
func (a ContainerAddress) String() string {
	s := fmt.Sprintf("https://%s/store/api/chihiro/00_09_000/titlecontainer/%s/%s/999/%s_00",
		hostChihiro, a.Country, a.Language, a.TitleID)
	if a.Image {
		s += "/image"
	}
	return s
}

// ParseContainerAddress reads what ContainerAddress.String writes; a trailing
// slash is accepted.
func ParseContainerAddress(s string) (ContainerAddress, error) {
	p := strings.Split(strings.TrimSuffix(s, "/"), "/")
	if len(p) < 12 {
		return ContainerAddress{}, fmt.Errorf("%w: %.200q", ErrAddress, s)
	}
	a := ContainerAddress{Country: p[8], Language: p[9], TitleID: strings.TrimSuffix(p[11], "_00"), Image: len(p) == 13}
	if !isCode(a.Country) || !isCode(a.Language) || !isTitleID(a.TitleID) || a.String() != strings.TrimSuffix(s, "/") {
		return ContainerAddress{}, fmt.Errorf("%w: %.200q is no title container", ErrAddress, s)
	}
	return a, nil
}

// IconAddress is the address of a content icon of the PS Store. Width and
// Height are in pixels, 1 to 4096; 0 leaves them out.
type IconAddress struct {
	Country, Language string // two small letters each; the address has the country in capitals
	ContentID         string
	Width, Height     int
}

// maxIconSide is the largest width or height that may be asked for, in pixels.
const maxIconSide = 4096

// String returns the address.
func (a IconAddress) String() string {
	s := fmt.Sprintf("https://%s/store/api/ps4/00_09_000/container/%s/%s/19/%s/image",
		hostStore, strings.ToUpper(a.Country), a.Language, a.ContentID)
	sep := "?"
	for _, side := range []struct {
		name string
		n    int
	}{{"w", a.Width}, {"h", a.Height}} {
		if side.n > 0 {
			s += sep + side.name + "=" + strconv.Itoa(side.n)
			sep = "&"
		}
	}
	return s
}

// ParseIconAddress reads what IconAddress.String writes.
func ParseIconAddress(s string) (IconAddress, error) {
	u, err := url.Parse(s)
	if err != nil {
		return IconAddress{}, fmt.Errorf("%w: %.200q", ErrAddress, s)
	}
	p := strings.Split(u.Path, "/")
	if len(p) != 11 {
		return IconAddress{}, fmt.Errorf("%w: %.200q", ErrAddress, s)
	}
	a := IconAddress{Country: strings.ToLower(p[6]), Language: p[7], ContentID: p[9]}
	a.Width, _ = strconv.Atoi(u.Query().Get("w"))
	a.Height, _ = strconv.Atoi(u.Query().Get("h"))
	if a.check() != nil || a.String() != s {
		return IconAddress{}, fmt.Errorf("%w: %.200q is no content icon", ErrAddress, s)
	}
	return a, nil
}

// check refuses what has no place in an address.
func (a IconAddress) check() error {
	sides := a.Width >= 0 && a.Height >= 0 && a.Width <= maxIconSide && a.Height <= maxIconSide
	if !sides || !isCode(a.Country) || !isCode(a.Language) || !isContentID(a.ContentID) {
		return fmt.Errorf("%w: content icon %.60q", ErrAddress, a.ContentID)
	}
	return nil
}

// SystemUpdatesAddress returns the address of the system update list of a
// region, two small letters; us and eu are known to exist.
func SystemUpdatesAddress(region string) string {
	return fmt.Sprintf("http://f%s%s/update/ps4/list/%[1]s/ps4-updatelist.xml", region, suffixSystem)
}

// ParseSystemUpdatesAddress returns the region of a SystemUpdatesAddress.
func ParseSystemUpdatesAddress(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || !isSystemHost(u.Host) || SystemUpdatesAddress(u.Host[1:3]) != s {
		return "", fmt.Errorf("%w: %.200q is no system update list", ErrAddress, s)
	}
	return u.Host[1:3], nil
}
