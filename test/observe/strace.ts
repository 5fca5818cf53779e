/** What tests of the tracer need and lack; empty if nothing is missing. */
export const needsStrace = Bun.which("strace") === null ? "needs strace" : "";
