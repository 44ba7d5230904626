/** A bare TCP copy, as the yardstick of `bench:send`: `send-copy.ts sink` takes bytes, `send-copy.ts send PORT FILE …` sends files. */
import { once } from 'node:events';
import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

const [mode, port, folder] = process.argv.slice(2);

if (mode === 'sink') {
  const server = createServer((socket) => socket.resume().on('end', () => socket.end()));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') console.log(address.port);
  });
} else if (mode === 'send' && port !== undefined && folder !== undefined) {
  const socket = connect(Number(port), '127.0.0.1');
  const buffers = [Buffer.allocUnsafeSlow(262_144), Buffer.allocUnsafeSlow(262_144)];
  for (const name of readdirSync(folder)) {
    const file = openSync(join(folder, name), 'r');
    for (;;) {
      const buffer = buffers.reverse()[0] ?? Buffer.alloc(1);
      const count = readSync(file, buffer, 0, buffer.length, null);
      if (count === 0) break;
      if (!socket.write(buffer.subarray(0, count))) await once(socket, 'drain');
    }
    closeSync(file);
  }
  socket.end();
  await once(socket.resume(), 'close');
}
