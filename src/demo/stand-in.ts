/** What every stand-in server has in common: its ports, its record of requests and its end. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Logger } from '../log.ts';
import type { Answerer, Call } from './answers.ts';
import { createRecorder, type RecordedRequest, type Recorder } from './recorder.ts';

/** Key and certificate chain as PEM text. */
export interface PemCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface StandInOptions {
  /** What the answers call this server. */
  readonly serverName: string;
  readonly address: string;
  /** Absent: no such port; 0: any free one. */
  readonly httpPort?: number;
  readonly httpsPort?: number;
  readonly certificate: PemCertificate;
  readonly log?: Logger;
  readonly answerer: Answerer;
}

/** A stand-in that listens. Ports it does not have are 0. */
export interface StandIn {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly requests: Recorder;
  /** Cuts every connection and frees the ports. */
  close(): Promise<void>;
}

const LIMITS = { maxHeaderSize: 131_072, requestTimeout: 0, keepAliveTimeout: 120_000 };

/** Opens the ports; fails as a whole if one of them cannot be had. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const requests = createRecorder();
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const call = callOf(options, request, response, requests.record(request, response));
    response.once('close', () => logCall(options, call));
    void giveAnswer(options, call);
  };
  const http = options.httpPort === undefined ? undefined : createServer(LIMITS, onRequest);
  const https =
    options.httpsPort === undefined ? undefined : createTlsServer({ ...LIMITS, ...options.certificate }, onRequest);
  const close = async () => {
    await Promise.all([http, https].map((server) => server?.listening && closeServer(server)));
  };
  try {
    const httpPort = http === undefined ? 0 : await listen(http, options.httpPort ?? 0, options.address);
    const httpsPort = https === undefined ? 0 : await listen(https, options.httpsPort ?? 0, options.address);
    return { httpPort, httpsPort, requests, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function callOf(
  { serverName }: StandInOptions,
  request: IncomingMessage,
  response: ServerResponse,
  arrived: RecordedRequest,
): Call {
  const [path = '', ...rest] = arrived.target.split('?');
  const host = (request.headers.host ?? '').toLowerCase().replace(/:\d*$/, '');
  return { serverName, request, response, arrived, host, path, query: new URLSearchParams(rest.join('?')) };
}

async function giveAnswer(options: StandInOptions, call: Call): Promise<void> {
  // IIS keeps HTTP/1.1 connections open without saying so.
  call.response.removeHeader('Connection');
  try {
    await options.answerer(call);
  } catch (error) {
    // A client that left in the middle of a body is no news; the record says "aborted".
    options.log?.debug({ err: error, target: call.arrived.target }, 'stand-in could not answer');
    call.response.destroy();
  }
}

function logCall(options: StandInOptions, { request, response, arrived }: Call): void {
  options.log?.info(
    {
      server: options.serverName,
      port: arrived.port,
      connection: arrived.connection,
      host: request.headers.host,
      method: arrived.method,
      target: arrived.target,
      status: response.statusCode,
    },
    'request at the stand-in server',
  );
}

function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server & { closeAllConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
