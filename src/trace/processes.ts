/**
 * Files as a traced process sees them. Its `/proc/self` differs from this one's and is gone later.
 */
import type { Files, Inode } from "../model/place.ts";

const ofProcess = /^\/proc\/(self|thread-self|\d+)(\/.*)?$/s;

/**
 * The same files, except that `/proc` entries of other processes are modelled on this process's
 * own. Their paths and types are alike, but each process gets its own identities, which rules
 * distinguish.
 *
 * @param first The id of the restricted process; `/proc/self` in a rule means that process
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
      // A link leads to a different file for each process.
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
