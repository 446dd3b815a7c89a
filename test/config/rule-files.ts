/** Rule files to read as strangers write them: our own, one for each kind of fault or oddity, and the corpus where its folder is there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verdicts } from './corpus-verdicts.ts';

export interface RuleFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** `accepted`, or the codes of its errors. */
  readonly verdict: string;
}

export interface FileSet {
  readonly title: string;
  readonly files: readonly RuleFile[];
}

const RULES = `<rules>
  <rule name="to the farm" stopProcessing="true">
    <match url="^(.*)$" />
    <conditions logicalGrouping="MatchAll" trackAllCaptures="true">
      <add input="{HTTP_HOST}" pattern="^(www\\.)?contoso\\.com$" />
      <add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" />
    </conditions>
    <action type="Rewrite" url="http://10.0.0.20:8080/{R:1}" logRewrittenUrl="true" />
  </rule>
</rules>`;
const rule = (inside: string) => `<rules><rule name="one" stopProcessing="true">${inside}</rule></rules>`;
const MATCH = '<match url="^a/(.*)" />';
const REWRITE = '<action type="Rewrite" url="b/{R:1}" />';
const webConfig = (inside: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n  <system.webServer>\n${inside}\n  </system.webServer>\n</configuration>\n`; // biome-ignore format: one line
const rewrite = (inside: string) => webConfig(`<rewrite>\n${inside}\n</rewrite>`);

const kinds: readonly (readonly [name: string, text: string | Buffer, verdict: string])[] = [
  ['a bare fragment', RULES, 'accepted'],
  ['a web.config', rewrite(RULES), 'accepted'],
  ['Windows line ends and a byte order mark', `\ufeff${rewrite(RULES).replaceAll('\n', '\r\n')}`, 'accepted'],
  ['UTF-16 with its mark', Buffer.from(`\ufeff${rewrite(RULES).replace('UTF-8', 'utf-16')}`, 'utf16le'), 'accepted'],
  ['sections of others around', webConfig(`<defaultDocument><files><clear /><add value="index.php" /></files></defaultDocument><handlers><add name="PHP" path="*.php" verb="*" modules="FastCgiModule" scriptProcessor="C:\\php\\php-cgi.exe" resourceType="Either" /></handlers><rewrite>${RULES}</rewrite><urlCompression doStaticCompression="true" />`), 'accepted'], // biome-ignore format: one line
  ['a front controller', rewrite(rule('<match url=".*" /><conditions><add input="{REQUEST_FILENAME}" matchType="IsDirectory" negate="true" /></conditions><action type="Rewrite" url="index.php/{R:0}" appendQueryString="true" />')), 'accepted'], // biome-ignore format: one line
  ['outbound rules with preConditions', rewrite(`<outboundRules><rule name="cookie" preCondition="html"><match serverVariable="RESPONSE_Set_Cookie" pattern="^(.*)$" /><action type="Rewrite" value="{R:1}; Secure" /></rule><preConditions><preCondition name="html"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/html" /></preCondition></preConditions></outboundRules>`), 'accepted'], // biome-ignore format: one line
  ['a map and a redirect by it', rewrite(`<rewriteMaps><rewriteMap name="Old" defaultValue=""><add key="/a" value="/b" /></rewriteMap></rewriteMaps>${rule('<match url=".*" /><conditions><add input="{Old:{REQUEST_URI}}" pattern="(.+)" /></conditions><action type="Redirect" url="{C:1}" redirectType="Permanent" />')}`), 'accepted'], // biome-ignore format: one line
  ['elements of XML besides', `<!-- ours -->\n${rewrite(`<?note x?>${RULES}<!-- end -->`).replace('<?xml version="1.0" encoding="UTF-8"?>', '')}`, 'accepted'], // biome-ignore format: one line
  ['a comment that is not one', '< ! -- not a comment -- >\n<rules />', 'LG1002'],
  ['a comment with one hyphen', `<rules><!- a -->${MATCH}</rules>`, 'LG1002'],
  ['a line of hyphens in a comment', `<!------- a ------->\n${RULES}`, 'LG1002'],
  ['a comment before the declaration', `<!-- a -->\n${rewrite(RULES)}`, 'LG1002'],
  ['several root elements', `${RULES}\n${RULES}`, 'LG1002'],
  ['an element that is not closed', rule('<match url="a">'), 'LG1002'],
  ['an excerpt that ends before its end tags', '<configuration><system.webServer><rewrite><rules>', 'LG1002'],
  ['an excerpt whose first letters are missing', `onfiguration>${RULES}</configuration>`, 'LG1002'],
  [
    'a start tag that is cut',
    '<configuration><system.webServer><handlers\n<rewrite /></system.webServer></configuration>',
    'LG1002',
  ],
  ['typographic quotes', rule('<match url=“^a” />'), 'LG1002'],
  ['a raw ampersand', rule(`${MATCH}<action type="Rewrite" url="b?x=1&y=2" />`), 'LG1002'],
  ['a template', `<rules><%names%>${MATCH}</rules>`, 'LG1002'],
  ['a letter of another code page', Buffer.from('<?xml version="1.0" encoding="utf-8"?><rules><!-- \xe4 --></rules>', 'latin1'), 'LG1003'], // biome-ignore format: one line
  ['a document type', '<!DOCTYPE rules>\n<rules />', 'LG1005'],
  ['a rule straight in rewrite', rewrite(`<rule name="a">${MATCH}${REWRITE}</rule>`), 'LG1008'],
  ['a section of another place', webConfig('<applicationRequestRouting />'), 'LG1008'],
  ['rules twice', rewrite(RULES + RULES), 'LG1009'],
  ['a transformation', '<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform"><system.webServer><rewrite xdt:Transform="Insert" /></system.webServer></configuration>', 'LG1011'], // biome-ignore format: one line
  ['variables allowed where that is locked', rewrite(`<allowedServerVariables><add name="HTTP_X" /></allowedServerVariables>${RULES}`), 'LG1012'], // biome-ignore format: one line
  ['a configSource that is not there', webConfig('<rewrite><rules configSource="rules.config" /></rewrite>'), 'LG1001'],
  ['an attribute of another element', rule(`${MATCH}<conditions><add input="{HTTPS}" type="Pattern" pattern="off" /></conditions>${REWRITE}`), 'LG2001'], // biome-ignore format: one line
  ['notes in a rule', rule(`<notes>for later</notes>${MATCH}${REWRITE}`), 'LG2002'],
  [
    'the words of another product',
    '<rules><rule name="a" action="forward"><from>^/a$</from><to>/b</to></rule></rules>',
    'LG2001 LG2002',
  ],
  ['a placeholder in a pattern', rule(`<match url="^{Folder}/(.*)" />${REWRITE}`), 'LG2200'],
  ['a placeholder in the place of a host', rule(`${MATCH}<action type="Rewrite" url="https://[account].contoso.com/{R:1}" />`), 'LG2235'], // biome-ignore format: one line
  ['a section within the proxy section', webConfig(`<proxy enabled="true"><reverseProxy /></proxy><rewrite>${RULES}</rewrite>`), 'LG1012'], // biome-ignore format: one line
  [
    'a web farm without a server',
    '<configuration><webFarms><webFarm name="a" enabled="true" /></webFarms></configuration>',
    'LG3110',
  ],
];

const shipped = join(import.meta.dirname, '../../config');

const own: FileSet = {
  title: 'our own files',
  files: [
    ...kinds.map(([name, text, verdict]) => ({ name, bytes: Buffer.from(text as string), verdict })),
    ...['applicationHost.config', ...globSync('examples/*/applicationHost.config', { cwd: shipped })].map((name) => ({
      name,
      bytes: readFileSync(join(shipped, name)),
      verdict: 'accepted',
    })),
  ],
};

const folder = join(import.meta.dirname, '../../../shared/corpus');

/** Real files of strangers. They are not ours to copy, so a clone of the repository is tested without. */
const corpus: FileSet = {
  title: 'the corpus',
  files: !existsSync(folder)
    ? []
    : globSync('*.config', { cwd: folder })
        .sort()
        .map((name) => ({
          name,
          bytes: readFileSync(join(folder, name)),
          verdict: verdicts.get(name.slice(0, 3)) ?? 'not in the table',
        })),
};

/** A set without files is left out: the corpus is not everywhere. */
export const fileSets = [own, corpus];
