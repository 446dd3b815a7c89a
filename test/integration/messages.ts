/** Takes the bytes of a connection apart into HTTP/1.1 messages. A reading of its own: what the tests judge is not asked. */

export interface Message {
  /** Request line or status line. */
  readonly startLine: string;
  /** Start line and fields as they came, with their empty line. */
  readonly head: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Without the framing of chunks. */
  readonly body: string;
  readonly trailers: readonly string[];
  /** False: the bytes end before the message does. */
  readonly whole: boolean;
}

export interface Reading {
  readonly messages: readonly Message[];
  /** Offset behind the last whole message. */
  readonly end: number;
}

/** Requests, from the offset on. The last one may be a part. */
export function readRequests(text: string, from = 0): Reading {
  return readAll(text, from, () => false);
}

/**
 * Answers to requests with these methods, in order. Interim answers are messages too.
 * @param closed the connection has ended, and so has a body without a length
 */
export function readAnswers(text: string, closed: boolean, methods: readonly string[] = []): Reading {
  let answered = 0;
  return readAll(
    text,
    0,
    (status) => {
      const method = methods[answered];
      if (status >= 200) answered++;
      return status < 200 || status === 204 || status === 304 || method === 'HEAD';
    },
    closed,
  );
}

export function targetOf({ startLine }: Message): string {
  return startLine.split(' ')[1] ?? '';
}

export function statusOf({ startLine }: Message): string {
  return startLine.split(' ')[1] ?? '';
}

/** The values of a header, in order. */
export function valuesOf({ headers }: Pick<Message, 'headers'>, name: string): string[] {
  return headers.filter((each) => each[0].toLowerCase() === name.toLowerCase()).map((each) => each[1]);
}

function readAll(text: string, from: number, hasNoBody: (status: number) => boolean, closed?: boolean): Reading {
  const messages: Message[] = [];
  let at = from;
  while (at < text.length) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) {
      messages.push(part(text.slice(at)));
      break;
    }
    const head = text.slice(at, headEnd + 4);
    const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
    const headers = lines.map((line) => [line.split(':')[0] ?? '', line.replace(/^[^:]*:\s*/, '').trimEnd()] as const);
    const known = { startLine, head, headers };
    const isAnswer = closed !== undefined;
    const bodiless = isAnswer && hasNoBody(Number(startLine.split(' ')[1]));
    const { end, ...body } = bodiless
      ? { body: '', trailers: [], whole: true, end: headEnd + 4 }
      : readBody(text, headEnd + 4, headers, closed);
    messages.push({ ...known, ...body });
    if (!body.whole) break;
    at = end;
  }
  return { messages, end: at };
}

function part(head: string): Message {
  return { startLine: head.split('\r\n')[0] ?? '', head, headers: [], body: '', trailers: [], whole: false };
}

type Body = Pick<Message, 'body' | 'trailers' | 'whole'> & { end: number };

function readBody(text: string, start: number, headers: Message['headers'], closed: boolean | undefined): Body {
  if (valuesOf({ headers }, 'transfer-encoding').length > 0) return readChunks(text, start);
  const [length] = valuesOf({ headers }, 'content-length');
  if (length === undefined && closed !== undefined)
    return { body: text.slice(start), trailers: [], whole: closed, end: text.length };
  const end = start + Number(length ?? 0);
  return { body: text.slice(start, end), trailers: [], whole: end <= text.length, end };
}

function readChunks(text: string, start: number): Body {
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return { body, trailers: [], whole: false, end: text.length };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return readTrailers(text, lineEnd + 2, body);
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) return { body, trailers: [], whole: false, end: text.length };
  }
}

function readTrailers(text: string, start: number, body: string): Body {
  if (text.startsWith('\r\n', start)) return { body, trailers: [], whole: true, end: start + 2 };
  const end = text.indexOf('\r\n\r\n', start);
  if (end < 0) return { body, trailers: [], whole: false, end: text.length };
  return { body, trailers: text.slice(start, end).split('\r\n'), whole: true, end: end + 4 };
}
