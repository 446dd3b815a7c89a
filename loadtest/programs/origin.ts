/**
 * The server behind all competitors where nginx is not installed, and always for long polls: it holds requests for `/hold`
 * until it is told to answer. Arguments: address, port, certificate, key, folder with the files.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { CIPHER_SUITE } from '../run-folder.ts';
import { answer } from './answer.ts';

export type OriginQuestion =
  /** How many requests it holds. */
  | { readonly act: 'count' }
  /** Answers all that it holds, and from now on each request at once: some may still be on their way. */
  | { readonly act: 'release' }
  /** Holds again. */
  | { readonly act: 'hold' };

const [address = '127.0.0.2', port = '0', cert = '', key = '', folder = ''] = process.argv.slice(2);
const held = new Set<ServerResponse>();
let holding = true;
/** Larger files are streamed. */
const KEPT = 2 ** 20;
const kept = new Map<string, Buffer>();

const server = createServer(
  {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ciphers: CIPHER_SUITE,
    minVersion: 'TLSv1.3',
    keepAliveTimeout: 0,
  },
  (request, response) => {
    if (request.url === '/hold') return holdBack(response);
    if (request.url === '/upload') {
      request.on('end', () => response.writeHead(204).end());
      request.resume();
      return;
    }
    sendFile(request.url?.slice(1) ?? '', response);
  },
);
// Nothing here ends a connection but the competitor.
server.requestTimeout = 0;
server.headersTimeout = 0;
server.timeout = 0;
server.listen({ port: Number(port), host: address, backlog: 4096 });

function holdBack(response: ServerResponse): void {
  if (!holding) {
    answerHeld(response);
    return;
  }
  held.add(response);
  response.on('close', () => held.delete(response));
}

function answerHeld(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 2 }).end('ok');
}

function sendFile(name: string, response: ServerResponse): void {
  const file = join(folder, name);
  const { size } = statSync(file);
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': size });
  if (size > KEPT) {
    createReadStream(file).pipe(response);
    return;
  }
  const bytes = kept.get(name) ?? readFileSync(file);
  kept.set(name, bytes);
  response.end(bytes);
}

answer(({ act }: OriginQuestion) => {
  const count = held.size;
  if (act !== 'count') holding = act === 'hold';
  if (act === 'release') held.forEach(answerHeld);
  return count;
});
