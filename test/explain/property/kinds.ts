import type { Trial } from "./world.ts";

/** A name for the kind of a trial, as tables show it. */
export function kindOf({ operation, how }: Trial): string {
  switch (operation.kind) {
    case "open": {
      if (operation.unnamed) return "open O_TMPFILE";
      if (operation.create) return "open O_CREAT";
      const access = `${operation.read ? "r" : ""}${operation.write ? "w" : ""}`;
      return `open ${access}${operation.truncate ? " O_TRUNC" : ""}`;
    }
    case "make":
      return `make ${operation.type}${how === "bind" ? " by bind" : ""}`;
    case "remove":
      return operation.directory ? "rmdir" : "unlink";
    case "rename":
      return operation.exchange ? "exchange" : "rename";
    case "port": {
      const name = operation.access.join();
      if (name !== "connect_send_udp") return name;
      return `${how === "send" ? "send" : "connect"} udp${operation.unbound ? " unbound" : ""}`;
    }
    case "scope":
      return operation.scope;
    default:
      return operation.kind;
  }
}
