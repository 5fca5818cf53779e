// rules FOLDER COUNT: a rule for each of its files 0, 1, 2...; µs until all of it is enforced.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
)

func main() {
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var paths []string
	for i := range count {
		paths = append(paths, fmt.Sprintf("%s/%d", os.Args[1], i))
	}
	begun := time.Now()
	if err := landlock.V3.RestrictPaths(landlock.ROFiles(paths...)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("[%.3f]\n", float64(time.Since(begun).Nanoseconds())/1e3)
}
