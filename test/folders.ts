/** Folders to remove at the end; `tidy-up.ts` removes them for tests. */
export const folders: string[] = [];
