package artcache

import (
	"context"
	"errors"
	"fmt"
)

// Info returns what is known about a title: its metadata or, if there is none,
// what the PS Store's title container tells.
func (c *Cache) Info(ctx context.Context, titleID string) (*Info, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	info, err := document(ctx, c, c.metadataResource(id), func(data []byte) (*Info, error) {
		info, err := ParseMetadata(data)
		if err == nil && info.ID != id {
			return nil, malformed("metadata of another title")
		}
		return info, err
	})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) {
		p, storeErr := c.Container(ctx, id)
		if storeErr == nil {
			return p.info(id), nil
		}
		if errors.Is(storeErr, ErrUnavailable) { // the store may still have it
			err = storeErr
		}
	}
	return info, err
}

func (c *Cache) metadataResource(id string) resource {
	return resource{
		key: "info/" + id, url: Address{Kind: Metadata, TitleID: id}.String(), accept: "application/json", fresh: freshInfo,
		describe: func(body []byte) *brief {
			info, err := ParseMetadata(body)
			if err != nil {
				return nil
			}
			return c.briefOf(info)
		},
	}
}

// Container returns the PS Store's title container of a title, from the
// configured region or those that storeRegions falls back to.
func (c *Cache) Container(ctx context.Context, titleID string) (*Product, error) {
	var last error
	for _, r := range c.regions {
		p, err := c.ContainerIn(ctx, titleID, r)
		if err == nil || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrMalformed) {
			return p, err
		}
		last = err
	}
	return nil, last
}

// ContainerIn returns the title container in one region of the store.
func (c *Cache) ContainerIn(ctx context.Context, titleID string, in Region) (*Product, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	if !isCode(in.Country) || !isCode(in.Language) {
		return nil, fmt.Errorf("%w: region %.20q/%.20q", ErrAddress, in.Language, in.Country)
	}
	p, err := document(ctx, c, c.containerResource(id, in), ParseContainer)
	if err != nil {
		return nil, err
	}
	p.Region = in
	return p, nil
}

func (c *Cache) containerResource(id string, in Region) resource {
	return resource{
		key:    "container/" + in.Country + "-" + in.Language + "-" + id,
		url:    Address{Kind: TitleContainer, Country: in.Country, Language: in.Language, TitleID: id}.String(),
		accept: "application/json", fresh: freshInfo,
		describe: func(body []byte) *brief {
			p, err := ParseContainer(body)
			if err != nil {
				return nil
			}
			return c.briefOf(p.info(id))
		},
	}
}

// Updates returns a title's update description, and ErrNotFound if it has no
// updates or is not known.
func (c *Cache) Updates(ctx context.Context, titleID string) (*Updates, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	r := resource{key: "updates/" + id, url: Address{Kind: UpdateXML, TitleID: id}.String(), accept: "text/xml", fresh: freshUpdates}
	return document(ctx, c, r, func(data []byte) (*Updates, error) {
		u, err := ParseUpdates(data)
		if err == nil && u.TitleID != id {
			return nil, malformed("updates of another title")
		}
		return u, err
	})
}

// Packages returns the pieces of a patch by the address of any of its packages
// or its description; Update.Manifest is one.
func (c *Cache) Packages(ctx context.Context, address string) (*PackageSet, error) {
	a, err := parseAs(address, Patch)
	if err != nil {
		return nil, err
	}
	a.File = ".json"
	return document(ctx, c, packagesResource(a, "application/json"), ParsePackageSet)
}

// PlayGo returns the PlayGo manifest of a patch by the address of any of its
// files.
func (c *Cache) PlayGo(ctx context.Context, address string) (*PlayGo, error) {
	a, err := parseAs(address, Patch, PlayGoManifest)
	if err != nil {
		return nil, err
	}
	a.Kind = PlayGoManifest
	return document(ctx, c, packagesResource(a, "text/xml"), ParsePlayGo)
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
	a, err := parseAs(address, AddonFile)
	if err != nil {
		return nil, err
	}
	file := func(suffix string) Address {
		a.File = suffix
		return a
	}
	set, err := document(ctx, c, packagesResource(file(".json"), "application/json"), ParsePackageSet)
	if err != nil {
		return nil, err
	}
	return &Addon{*set, a.ContentID, file(".json").String(), file(".pkg").String(), file(".sha").String()}, nil
}

// parseAs parses an address of one of the given kinds.
func parseAs(address string, kinds ...Kind) (Address, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return a, err
	}
	for _, k := range kinds {
		if a.Kind == k {
			return a, nil
		}
	}
	return a, fmt.Errorf("%w: %.300q is not the address of a %s", ErrAddress, address, kinds[0])
}

func packagesResource(a Address, accept string) resource {
	return resource{key: "packages/" + hashOf([]byte(a.String())), url: a.String(), accept: accept, fresh: freshPackages}
}

// ServiceList returns the service list.
func (c *Cache) ServiceList(ctx context.Context) (*ServiceList, error) {
	return document(ctx, c, listResource("services", Address{Kind: Services}), ParseServiceList)
}

// LaunchList returns the application launch list.
func (c *Cache) LaunchList(ctx context.Context) (*LaunchList, error) {
	return document(ctx, c, listResource("launch", Address{Kind: Launch}), ParseLaunchList)
}

// SystemUpdates returns the system update list of a region such as "us" or
// "eu".
func (c *Cache) SystemUpdates(ctx context.Context, region string) (*SystemUpdates, error) {
	if !isCode(region) {
		return nil, fmt.Errorf("%w: region %.20q", ErrAddress, region)
	}
	return document(ctx, c, listResource("system-"+region, Address{Kind: SystemList, Country: region}), ParseSystemUpdates)
}

func listResource(name string, a Address) resource {
	return resource{key: "lists/" + name, url: a.String(), accept: "text/xml", fresh: freshList}
}
