package app

import (
	"context"
	"path/filepath"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
)

// ArtOptions returns the options of the cache of names and covers. It is in the
// state directory unless the configuration names another one; unlike the rest
// of that directory, several processes may use it at once.
func ArtOptions(c *config.Config, stateDir string) artcache.Options {
	o := artcache.Options{
		Dir: c.Art.Dir, MaxBytes: int64(c.Art.MaxMB) << 20, Country: c.Art.Country, Language: c.Art.Language, Disabled: !c.Art.Enabled,
		Bases: artcache.Bases{
			TMDB: c.Art.TMDBURL, Updates: c.Art.UpdatesURL, Packages: c.Art.PackagesURL,
			Lists: c.Art.ListsURL, Store: c.Art.StoreURL, Chihiro: c.Art.ChihiroURL, Images: c.Art.ImagesURL,
		},
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(stateDir, "art")
	}
	return o
}

// artOptions returns the options of this process. With simulated consoles it
// asks only this machine.
func (e env) artOptions(offline bool) artcache.Options {
	o := ArtOptions(e.config, e.files.store.Dir())
	o.Offline, o.Loopback = offline, e.simulating()
	return o
}

// art has the names and covers of titles. Nothing depends on it: without a
// cache, titles have the names that the consoles give them.
type art struct {
	cache *artcache.Cache // nil: it cannot be opened
	draws bool            // covers for the titles of simulated consoles
}

// openArt opens the cache until the tasks end.
func (p *parts) openArt(offline bool) {
	log := p.log.WithField("part", "art")
	o := p.artOptions(offline)
	o.Logf = log.Warnf
	o.Learned = func(string) {
		for _, u := range p.registry.list() {
			u.tv.RefreshNames()
			p.registry.changedConsole(u)
		}
	}
	cache, err := artcache.Open(&o)
	if err != nil {
		log.WithError(err).Warn("names and covers of titles are not looked up (art.dir)")
		return
	}
	p.art.cache, p.art.draws = cache, p.simulating() && p.config.Art.Enabled
	p.run(func(ctx context.Context) {
		<-ctx.Done()
		_ = cache.Close() // cannot fail
	})
}

// name returns the real name of a title, or "" if it must be looked up first.
// openArt has the units told once it is known.
func (a *art) name(id string) string {
	if a.cache == nil {
		return ""
	}
	name, _ := a.cache.Name(id)
	return name
}

// coverPath returns the path of a title's cover, or "" if it is not cached.
func (a *art) coverPath(id string) string {
	if id == "" || a.cache == nil {
		return ""
	}
	_, ok := a.cache.Cached(context.Background(), id, artcache.Medium)
	if !ok && a.draws {
		_, ok = drawnCover(id)
	}
	if !ok {
		return ""
	}
	return api.CoverPath(id, int(artcache.Medium))
}
