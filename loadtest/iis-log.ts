/** Makes IIS logs of any length: the same lines each time, with more distinct paths than anybody keeps. */
import { closeSync, openSync, writeSync } from 'node:fs';

const FIELDS =
  'date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Referer) cs-host sc-status sc-substatus sc-win32-status time-taken';
const HEAD = `#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-03-02 00:00:00\n#Fields: ${FIELDS}\n`;
const HOSTS = ['webext', 'meet', 'dialin', 'lyncdiscover', 'officewebapps'].map((name) => `${name}.contoso.com`);
const STEMS = [
  '/ucwa/v1/applications/',
  '/GroupExpansion/service.svc',
  '/WebTicket/WebTicketService.svc/',
  '/meet/alice/',
  '/hosting/discovery/',
  '/Reach/Client/WebPages/',
];
const AGENTS = [
  'ACOMO',
  'Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36',
  'OC/16.0.4266.1001+(Skype+for+Business)',
];
/** IIS begins anew each day and after each restart. */
const LINES_PER_DAY = 100_000;
const BUFFER = 1 << 20;

/** @returns the size of the file in bytes */
export function writeIisLog(file: string, lines: number): number {
  const descriptor = openSync(file, 'w');
  let size = 0;
  let text = '';
  for (let index = 0; index < lines; index++) {
    if (index % LINES_PER_DAY === 0) text += HEAD;
    text += `${line(index)}\n`;
    if (text.length < BUFFER && index < lines - 1) continue;
    size += writeSync(descriptor, text);
    text = '';
  }
  closeSync(descriptor);
  return size;
}

function line(index: number): string {
  const number = scatter(index);
  const pick = <Item>(list: readonly Item[], shift: number) => list[(number >>> shift) % list.length];
  const secure = number % 10 !== 0;
  // One path in two is new, as ids in URLs are.
  const stem = `${pick(STEMS, 3)}${index % 2 === 0 ? index.toString(36) : number % 500}`;
  const query = `X-ARR-CACHE-HIT=0&X-ARR-LOG-ID=${number.toString(16).padStart(8, '0')}-53a1-4f7e-9a52-2f6d0f1c7b11`;
  const client = `198.51.${number % 256}.${(number >>> 8) % 256}`;
  const time = `2026-03-02 ${new Date((index % 86_400) * 1000).toISOString().slice(11, 19)}`;
  return `${time} 203.0.113.5 ${pick(['GET', 'POST'], 7)} ${stem} ${query} ${secure ? 443 : 80} - ${client} HTTP/1.1 ${pick(AGENTS, 11)} - ${pick(HOSTS, 5)} 200 0 0 ${number % 900}`;
}

/** A number of 32 bits that looks random and is always the same (Knuth's multiplicative hash). */
function scatter(index: number): number {
  const mixed = Math.imul(index + 1, 2_654_435_761) >>> 0;
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
