/** Folders to remove in the end: `tidy-up.ts` does it for tests. */
export const folders: string[] = [];
