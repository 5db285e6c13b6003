package app

import (
	"path/filepath"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/config"
)

// ArtOptions returns the options of the cache of names and covers, which is below the
// state directory unless the configuration says otherwise. Unlike the rest of that
// directory several processes may use it at once.
func ArtOptions(c *config.Config, stateDir string) artcache.Options {
	o := artcache.Options{
		Dir: c.Art.Dir, MaxBytes: int64(c.Art.MaxMB) << 20, Country: c.Art.Country, Language: c.Art.Language, Disabled: !c.Art.Enabled,
		Bases: artcache.Bases{
			TMDB: c.Art.TMDBURL, Updates: c.Art.UpdatesURL, Packages: c.Art.PackagesURL,
			Lists: c.Art.ListsURL, Store: c.Art.StoreURL, Chihiro: c.Art.ChihiroURL,
		},
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(stateDir, "art")
	}
	return o
}

// artOptions are those of this process: a command that runs alone fetches nothing, and
// with simulated consoles nothing is asked that is not on this machine.
func (s *server) artOptions() artcache.Options {
	o := ArtOptions(s.Config, s.State.Dir())
	o.Offline, o.Loopback = s.alone, s.Simulate > 0
	return o
}

// openArt opens the cache until s.life ends. Nothing depends on it: without it titles
// are called what the consoles call them.
func (s *server) openArt() {
	log := s.Log.WithField("part", "art")
	o := s.artOptions()
	o.Learned, o.Logf = s.learned, log.Warnf
	cache, err := artcache.Open(&o)
	if err != nil {
		log.WithError(err).Warn("names and covers of titles are not looked up (art.dir)")
		return
	}
	s.art = cache
	s.group.Go(func() error {
		<-s.life.Done()
		return cache.Close()
	})
}

// titleName is the real name of a title, if it is at hand; else it is looked for, and
// learned is called.
func (s *server) titleName(id string) string {
	if s.art == nil {
		return ""
	}
	name, _ := s.art.Name(s.life, id)
	return name
}

// learned shows a name that has just been found. Names that somebody gave stay.
func (s *server) learned(string) {
	for _, u := range s.list() {
		u.tv.RefreshNames()
		s.consoleChanged(u.hostID)
	}
}
