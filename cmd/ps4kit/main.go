// Ps4kit makes PlayStation 4 consoles televisions in Apple Home.
package main

import (
	"os"
)

// version is set by the build, see Makefile.
var version = "unknown"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
