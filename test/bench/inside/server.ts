/** A server that restricts itself on request; prints its port. */
import { landlock, roDirs } from "../../../src/index.ts";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    if (!request.url.endsWith("/restrict")) return new Response("hello");
    const { enforcement } = landlock.V11.bestEffort().restrict(roDirs("/usr"));
    return new Response(enforcement);
  },
});
console.log(server.port);
