/** What `explain()` proposes for files that Bun loads itself works, and opens nothing else. */
import { testRows } from "./denials.ts";
import { loadRows } from "./rows-loads.ts";

testRows(loadRows);
