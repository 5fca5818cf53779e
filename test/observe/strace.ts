/** What tests of the tracer need; empty: it is there. */
export const needsStrace = Bun.which("strace") === null ? "needs strace" : "";
