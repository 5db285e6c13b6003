package artcache

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Info returns a title's metadata or, if there is none, the description in the
// PS Store's title container. It asks the store for the configured country and
// language, then for that country in its own language, then for the United
// States.
func (c *Cache) Info(ctx context.Context, titleID string) (*Info, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	info, err := document[Info](ctx, c, Address{Kind: Metadata, TitleID: id})
	for _, r := range c.regions {
		if err == nil || !isFinal(err) {
			break
		}
		p, storeErr := c.Container(ctx, id, r)
		if storeErr == nil {
			return p.info(id), nil
		}
		if errors.Is(storeErr, ErrUnavailable) { // the store may still have it
			err = storeErr
		}
	}
	return info, err
}

// Container returns the PS Store's title container of a title in one country and
// language.
func (c *Cache) Container(ctx context.Context, titleID string, in Region) (*Product, error) {
	p, err := document[Product](ctx, c, Address{Kind: TitleContainer, TitleID: titleID, Country: in.Country, Language: in.Language})
	if err == nil {
		p.Region = in
	}
	return p, err
}

// Updates returns a title's update description, and ErrNotFound if it has no
// updates or is unknown.
func (c *Cache) Updates(ctx context.Context, titleID string) (*Updates, error) {
	return document[Updates](ctx, c, Address{Kind: UpdateXML, TitleID: titleID})
}

// Packages returns the pieces of a patch by the address of any of its packages
// or its description; Update.Manifest is one.
func (c *Cache) Packages(ctx context.Context, address string) (*PackageSet, error) {
	a, err := parseAs(address, Patch)
	if err != nil {
		return nil, err
	}
	a.File = ".json"
	return document[PackageSet](ctx, c, a)
}

// PlayGo returns the PlayGo manifest of a patch by the address of any of its
// files.
func (c *Cache) PlayGo(ctx context.Context, address string) (*PlayGo, error) {
	a, err := parseAs(address, Patch, PlayGoManifest)
	if err != nil {
		return nil, err
	}
	a.Kind = PlayGoManifest
	return document[PlayGo](ctx, c, a)
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
	description, err := parseAs(address, AddonFile)
	if err != nil {
		return nil, err
	}
	pkg, digest := description, description
	description.File, pkg.File, digest.File = ".json", ".pkg", ".sha"
	set, err := document[PackageSet](ctx, c, description)
	if err != nil {
		return nil, err
	}
	return &Addon{*set, description.ContentID, description.String(), pkg.String(), digest.String()}, nil
}

// parseAs parses an address of one of the given kinds.
func parseAs(address string, kinds ...Kind) (Address, error) {
	a, err := ParseAddress(address)
	if err == nil && !slices.Contains(kinds, a.Kind) {
		err = fmt.Errorf("%w: %.300q is not the address of a %s", ErrAddress, address, kinds[0])
	}
	return a, err
}

// ServiceList returns the service list.
func (c *Cache) ServiceList(ctx context.Context) (*ServiceList, error) {
	return document[ServiceList](ctx, c, Address{Kind: Services})
}

// LaunchList returns the application launch list.
func (c *Cache) LaunchList(ctx context.Context) (*LaunchList, error) {
	return document[LaunchList](ctx, c, Address{Kind: Launch})
}

// SystemUpdates returns the system update list of a region such as "us" or
// "eu".
func (c *Cache) SystemUpdates(ctx context.Context, region string) (*SystemUpdates, error) {
	if !isCode(region) {
		return nil, fmt.Errorf("%w: region %.20q is not two small letters", ErrAddress, region)
	}
	return document[SystemUpdates](ctx, c, Address{Kind: SystemList, Country: region})
}
