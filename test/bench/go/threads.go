// threads COUNT: µs to restrict a process of so many threads, or up to three more.
package main

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
)

func threads() int {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		log.Fatal(err)
	}
	return len(entries)
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	running := make(chan bool)
	for threads() < count {
		go func() {
			runtime.LockOSThread()
			running <- true
			select {}
		}()
		<-running
	}
	// The runtime starts some when it likes.
	if threads() > count+3 {
		log.Fatalf("the runtime has %d threads by itself", threads())
	}
	begun := time.Now()
	if err := landlock.V3.RestrictPaths(landlock.RODirs("/usr", "/proc")); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("[%.3f]\n", float64(time.Since(begun).Nanoseconds())/1e3)
}
