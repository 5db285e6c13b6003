package state

// WithStep returns options with a function that is called before each change on
// disk that a restore makes, and that can fail it.
func WithStep(step func() error) *Options { return &Options{step: step} }

// Env is the environment that Dir and Find look at.
type Env struct {
	Variables map[string]string
	UID       int
	Exists    func(path string) bool
}

func (e Env) environment() environment {
	return environment{func(name string) string { return e.Variables[name] }, e.UID, e.Exists}
}

// Dir is Dir in this environment.
func (e Env) Dir(flag string) (string, error) { return e.environment().dir(flag) }

// Find is Find in this environment.
func (e Env) Find(flag string) (string, error) { return e.environment().find(flag) }
