// Package artcache finds the names, updates and cover art of titles and keeps
// them on disk.
//
// # Sources
//
// Every address and the hashes in them are those of docs/protocol.md §8; which
// source is known to answer is told in docs/metadata.md.
//
//	Info           title metadata JSON: names, icon, content id, category
//	Updates        update description XML: version, size, required system
//	Packages       update description JSON: the chunks of a patch
//	PlayGo         PlayGo manifest XML of a patch
//	Addon          additional content JSON, by its address
//	Container      title container of the PS Store
//	ContentIcon    content icon of the PS Store
//	ServiceList    allowed and denied services by country
//	LaunchList     minimum system version, title black list
//	SystemUpdates  system software of a region
//
// # Three kinds of calls
//
// [Cache.Name], [Cache.Cached] and [Cache.Titles] read what is cached, never
// wait for the network, and let a background worker fetch what is missing.
// [Cache.Cover] and the calls named above fetch when they must. The functions
// that build and parse addresses and documents do no I/O at all.
//
// # On disk
//
//	blobs/ab/ab01…   bodies, by the SHA-256 of their content
//	index/KIND/NAME  what was asked for, and the hash of what came back
//	own/CUSA00129.png  the owner's own images, which win over everything
//	tmp/             files being written
//
// A body is written before the record that points to it, both by renaming, and
// its hash is checked when it is read: a kill at any instant, a full disk or a
// bad sector costs a fetch, never a wrong answer.
package artcache
