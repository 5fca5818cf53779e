/** The same for denials that the newest kernels have brought; in guests, these run. */
import { testRows } from "./denials.ts";
import { newerRows } from "./rows-network.ts";

testRows(newerRows);
