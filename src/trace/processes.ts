/** Files as a sandboxed process sees them: `/proc/self` is its own, and gone when they are looked up. */
import type { Files, Inode } from "../model/place.ts";

const ofProcess = /^\/proc\/(self|thread-self|\d+)(\/.*)?$/s;

/**
 * The same files, with those of other processes in `/proc` made up after this process's own: as
 * paths and types they are the same for all, and rules tell apart whose they are.
 *
 * @param first The process that was restricted, as a number; `/proc/self` in a rule means its own
 */
export function filesOfProcesses(files: Files, first: () => number | undefined): Files {
  const own = `/proc/${process.pid}`;
  return {
    find(path, follow) {
      const [, who, rest = ""] = ofProcess.exec(path) ?? [];
      if (who === undefined) return files.find(path, follow);
      const name = who === "self" || Number(who) === first() ? "self" : who;
      const mine = rest.replace(/^\/task\/\d+/, `/task/${process.pid}`);
      const place = files.find(own + mine, follow);
      // Behind a link is another file for each of them.
      if (!place.path.startsWith(own) || place.parents.length === 0)
        return files.find(path, follow);
      const theirs = (inode: Inode): Inode => {
        if (!inode.path.startsWith(own)) return inode;
        const below = inode.path.slice(own.length);
        return { ...inode, id: `process ${name}${below}`, path: `/proc/${name}${below}` };
      };
      return {
        path: `/proc/${name}${place.path.slice(own.length)}`,
        file: place.file && theirs(place.file),
        parents: place.parents.map(theirs),
      };
    },
  };
}
