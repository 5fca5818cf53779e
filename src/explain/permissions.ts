/** Questions in the form of Node's permission model. */
import { atCaller } from "../validate/values.ts";
import { hasPermission } from "./explain.ts";
import type { PermissionScope } from "./question.ts";
import type { PathLike } from "../validate/values.ts";

/** What is permitted, after Node's `process.permission`. */
export const permissions = Object.freeze({
  /**
   * Whether the layers that this thread enforced allow something. Ordinary permissions are another
   * matter, and so are layers that were there before; without any layer the answer is yes.
   *
   * | scope                             | reference                   | without one         |
   * | --------------------------------- | --------------------------- | ------------------- |
   * | `"fs"` `"fs.read"` `"fs.write"`   | a path; a directory stands for all beneath | the whole tree |
   * | `"child"`                         | a program, by path or name  | any program         |
   * | `"net"` `"net.connect"` `"net.bind"` | a port; the latter two are TCP | any port      |
   * | a right, as `"make_dir"`          | a path or a port            | everywhere          |
   * | `"signal"` `"abstract_unix_socket"` | none                      | outside the sandbox |
   *
   * @param scope As above
   * @param reference A path, a `file:` URL, a program or a port, as the scope has it
   * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where the scope is unknown, or the
   *   reference is not one of it
   * @see {@link https://nodejs.org/api/process.html#processpermissionhasscope-reference}
   */
  has(scope: PermissionScope, reference?: PathLike | number): boolean {
    return atCaller(permissions.has, () => hasPermission(scope, reference));
  },
});
