/** Finds the web.config files of sites below the folder of the configuration, and those that stand where nobody reads them. */
import { type Dirent, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../errors.ts';
import { faultAt, realPathOf } from './files.ts';

export interface SiteFile {
  readonly file: string;
  /** As the folder is called. */
  readonly site: string;
  /** `/` or `/a/b`. */
  readonly path: string;
}

/** A file or folder that does not come to be read. */
export interface PassedOver {
  readonly file: string;
  /** A sentence without its full stop. */
  readonly why: string;
  readonly advice: string;
}

/** A folder whose content is not known; `site` as its folder is called, absent for the folder that holds those of all sites. */
export interface ClosedFolder {
  readonly folder: string;
  readonly site?: string;
  readonly why: string;
}

export interface FoundFiles {
  /** Every `sites/<site>/<application path>/web.config`, outer ones before inner ones. */
  readonly files: readonly SiteFile[];
  readonly passedOver: readonly PassedOver[];
  readonly closed: readonly ClosedFolder[];
}

interface Search {
  readonly files: SiteFile[];
  readonly passedOver: PassedOver[];
  readonly closed: ClosedFolder[];
  /** In folders that are not gone into. */
  readonly hidden: string[];
  /** The file for each place, by site and path in lower case. */
  readonly taken: Map<string, string>;
  folders: number;
}

/** Whole contents of sites may have been copied; links that cross each other make ever more of a few folders. */
const MOST_FOLDERS = 100_000;

/** Letter case does not count, as on Windows: not in the name of a file, nor in that of a folder. */
export function siteFiles(configDir: string): FoundFiles {
  const search: Search = { files: [], passedOver: [], closed: [], hidden: [], taken: new Map(), folders: 0 };
  const { entries = [] } = entriesIn(configDir);
  for (const { name, kind, why } of exactFirst(entries, 'sites')) {
    const root = join(configDir, name);
    if (kind === 'folder') collectSites(root, search);
    else search.closed.push({ folder: root, why: kind === 'file' ? 'it is no folder' : why });
  }
  const read = new Set(search.files.map(({ file }) => realPathOf(file)));
  const unread = search.hidden.filter((file) => !read.has(realPathOf(file)));
  const why = 'folders whose name begins with two dots are those in which Kubernetes keeps the files of a volume';
  const hidden = unread.map((file) => ({ file, why, advice: 'Give the folder another name.' }));
  return { files: search.files, passedOver: [...search.passedOver, ...hidden], closed: search.closed };
}

/** The entries with a name in any letter case, the one in small letters first. */
function exactFirst(entries: readonly Entry[], name: string): readonly Entry[] {
  const alike = entries.filter((entry) => entry.name.toLowerCase() === name);
  return alike.toSorted((one, other) => Number(other.name === name) - Number(one.name === name));
}

/** Files called web.config in the folder itself, and in the folders right in it that have the name of a site. */
export function strayFiles(configDir: string, sites: readonly string[]): readonly PassedOver[] {
  const names = new Set(sites.map((name) => name.toLowerCase()));
  const { entries = [] } = entriesIn(configDir);
  const folders = entries.filter(({ name, kind }) => kind === 'folder' && names.has(name.toLowerCase()));
  const stray = (folder: string, inner: readonly Entry[], why: string, advice: string) =>
    inner.filter(isWebConfig).map(({ name }) => ({ file: join(folder, name), why, advice }));
  return [
    ...stray(
      configDir,
      entries,
      'it stands in no folder of a site',
      'Move it into sites/SITE, or name it in "iis" of settings.json: { "file": "web.config", "site": "SITE" }.',
    ),
    ...folders.flatMap(({ name }) =>
      stray(
        join(configDir, name),
        entriesIn(join(configDir, name)).entries ?? [],
        'the folders of sites are looked for in the folder "sites"',
        `Move the folder into "sites": sites/${name}.`,
      ),
    ),
  ];
}

function collectSites(root: string, search: Search): void {
  const { entries = [], why } = entriesIn(root);
  if (why !== undefined) search.closed.push({ folder: root, why });
  for (const { name } of entries.filter(isWebConfig)) {
    search.passedOver.push({
      file: join(root, name),
      why: 'it stands beside the folders of the sites, not in one',
      advice: 'Move it into the folder of its site: sites/SITE/web.config.',
    });
  }
  for (const entry of entries) {
    const { name, kind, why } = entry;
    if (kind === 'unknown' || kind === 'nowhere') search.closed.push({ folder: join(root, name), site: name, why });
    else if (goesInto(root, entry, search))
      collect({ folder: join(root, name), site: name, path: '', above: [realPathOf(root)] }, search);
  }
}

interface Step {
  readonly folder: string;
  readonly site: string;
  readonly path: string;
  /** Real paths of the folders around it, so that links in a circle end. */
  readonly above: readonly string[];
}

function collect({ folder, site, path, above }: Step, search: Search): void {
  const real = realPathOf(folder);
  if (above.includes(real) || hasTooMany(folder, search)) return;
  const { entries = [], why } = entriesIn(folder);
  if (why !== undefined) search.closed.push({ folder, site, why });
  const [first, ...others] = exactFirst(entries, 'web.config');
  if (first) take({ file: join(folder, first.name), site, path: path || '/' }, search);
  else search.passedOver.push(...misnamed(folder, entries));
  for (const { name } of others) {
    const why = `"${first?.name}" stands in the same folder, and on Windows letter case makes no difference`;
    search.passedOver.push({ file: join(folder, name), why, advice: 'Keep one of the two.' });
  }
  for (const entry of entries) {
    const { name, kind, why } = entry;
    const file = join(folder, name);
    if (isWebConfig(entry)) continue;
    if (kind === 'unknown') search.closed.push({ folder: file, site, why });
    else if (kind === 'nowhere') search.passedOver.push({ file, why, advice: 'Remove the link, or mend it.' });
    else if (goesInto(folder, entry, search))
      collect({ folder: file, site, path: `${path}/${name}`, above: [...above, real] }, search);
  }
}

/** In a folder without a web.config; beside one it is a copy. */
function misnamed(folder: string, entries: readonly Entry[]): PassedOver[] {
  const alike = entries.filter(({ name, kind }) => kind === 'file' && /^web[._-]?config(\.\w+)?$/i.test(name));
  return alike.map(({ name }) => ({
    file: join(folder, name),
    why: `it is called "${name}", not "web.config"`,
    advice: /\.txt$/i.test(name)
      ? 'Rename it to web.config: the Explorer of Windows hides the ending .txt unless it is told to show it.'
      : 'Rename it to web.config, or move it out of "sites".',
  }));
}

function hasTooMany(folder: string, search: Search): boolean {
  search.folders += 1;
  if (search.folders === MOST_FOLDERS) {
    const why = `${MOST_FOLDERS} folders come before it, or links that lead into each other`;
    search.passedOver.push({ file: folder, why, advice: 'Leave only folders with a web.config below "sites".' });
  }
  return search.folders >= MOST_FOLDERS;
}

/** False for what is no folder of a URL path; what may stand there all the same is told. */
function goesInto(folder: string, { name, kind }: Entry, search: Search): boolean {
  const file = join(folder, name);
  if (/\\web\.config$/i.test(name)) {
    const why = 'a backslash in its name is no border of folders here';
    search.passedOver.push({ file, why, advice: `Make folders of it: ${name.replaceAll('\\', '/')}.` });
  }
  if (kind !== 'folder') return false;
  if (!name.startsWith('..')) return true;
  search.hidden.push(...webConfigsBelow(file));
  return false;
}

function webConfigsBelow(folder: string): string[] {
  const { entries = [] } = entriesIn(folder);
  return entries.flatMap((entry) => {
    const file = join(folder, entry.name);
    if (isWebConfig(entry)) return [file];
    return entry.kind === 'folder' && !lstatSync(file).isSymbolicLink() ? webConfigsBelow(file) : [];
  });
}

function take(found: SiteFile, search: Search): void {
  const key = `${found.site}\0${found.path}`.toLowerCase();
  const first = search.taken.get(key);
  if (first === undefined) {
    search.taken.set(key, found.file);
    search.files.push(found);
    return;
  }
  const why = `${first} stands for the same URL path, and on Windows letter case makes no difference`;
  search.passedOver.push({ file: found.file, why, advice: 'Join the two folders into one.' });
}

interface Entry {
  readonly name: string;
  /** Of a link, of what it leads to. */
  readonly kind: 'folder' | 'file' | 'nowhere' | 'unknown';
  /** Why it is not known what it is; else empty. */
  readonly why: string;
}

function isWebConfig({ name }: Entry): boolean {
  return name.toLowerCase() === 'web.config';
}

function entriesIn(folder: string): { readonly entries?: readonly Entry[]; readonly why?: string } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return { entries: entries.map((entry) => entryOf(folder, entry)).sort((a, b) => (a.name < b.name ? -1 : 1)) };
  } catch (error) {
    return { why: faultAt(folder, error) };
  }
}

function entryOf(folder: string, entry: Dirent): Entry {
  const { name } = entry;
  if (!entry.isSymbolicLink()) return { name, kind: entry.isDirectory() ? 'folder' : 'file', why: '' };
  try {
    return { name, kind: statSync(join(folder, name)).isDirectory() ? 'folder' : 'file', why: '' };
  } catch (error) {
    const nowhere = ['ENOENT', 'ELOOP', 'ENOTDIR'].includes(codeOf(error));
    return { name, kind: nowhere ? 'nowhere' : 'unknown', why: faultAt(join(folder, name), error) };
  }
}
