/** What a connection costs at least in Node: `node:tls` and nothing else. Answers each chunk that arrives with 1 KiB. */
import { createServer } from 'node:tls';
import { frontOptions, listenWhenAsked } from './yardstick.ts';

const body = 'x'.repeat(1024);
const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

listenWhenAsked(
  createServer(frontOptions, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(response));
  }),
);
