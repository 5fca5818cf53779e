#!/usr/bin/env -S bun --config=/dev/null --no-env-file
console.log(1);
