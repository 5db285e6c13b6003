package state

import "io"

// RestoreStopping is Restore with a function that is called before each of its steps.
func RestoreStopping(dir string, archive io.Reader, before func(step string)) (Contents, error) {
	return (&restorer{dir: dir, before: before}).restore(archive)
}

// FinishStopping is what Open does about an interrupted restore, with a function that is called before each of its steps.
func FinishStopping(dir string, before func(step string)) error {
	return (&restorer{dir: dir, before: before}).finish()
}
