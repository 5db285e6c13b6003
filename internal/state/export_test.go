package state

// WithStep returns options with a function that is called before each change on
// disk that a restore makes, and that can fail it.
func WithStep(step func(string) error) *Options { return &Options{step: step} }
