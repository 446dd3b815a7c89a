/** The verdict on each of the 186 files of the corpus, by number: accepted, or the codes of its errors and why. */

/** Warnings aside, nothing is found: IIS would run these, and so does Lychgate. */
const accepted = `
  001 003 004 005 006 007 008 009 010 013 014 015 016 017 018 019 020 022 025 026 027 029 030 032 033 034 035 036
  037 038 040 041 042 047 048 050 051 052 053 054 055 058 060 061 062 064 065 066 067 068 069 071 072 073 074
  075 076 077 078 080 081 082 083 084 085 086 087 088 089 090 091 093 094 095 096 097 098 099 100 101 105 106 107
  108 109 112 113 114 118 119 120 121 122 123 125 126 127 128 129 130 131 133 135 138 139 140 141 143 144 146
  147 149 150 151 152 153 156 158 159 160 162 163 164 165 166 167 168 169 170 171 173 174 177 178 179 182 183
  184 185 186`;

const refused: Readonly<Record<string, string>> = {
  // Not XML: `< ! --`.
  '002': 'LG1002',
  // The rule language of another product under the same names.
  '011': 'LG2002 LG2004',
  '012': 'LG2001 LG2002 LG2004 LG2200',
  // Placeholders of a description in the place of host names: "[storageaccountname].blob.core.windows.net".
  '021': 'LG2235',
  // A transformation (XDT), of a site without id, which removes an application and inserts it again.
  '023': 'LG1011 LG5003 LG5005',
  // A template: <%names%> between the rules.
  '024': 'LG1002',
  // <proxy>, which stands in applicationHost.config only; in the first with a <reverseProxy> in it.
  '028': 'LG1012',
  '063': 'LG1012',
  '136': 'LG1012',
  // Several root elements: an excerpt of a page.
  '031': 'LG1002',
  '039': 'LG1002',
  '070': 'LG1002',
  '079': 'LG1002',
  '154': 'LG1002',
  // <match> is not closed, as the vendor's page prints it.
  '043': 'LG1002',
  '044': 'LG1002',
  // <rule> straight in <rewrite>.
  '045': 'LG1008',
  // The excerpt ends before its end tags.
  '046': 'LG1002',
  '049': 'LG1002',
  // type in place of matchType on a condition.
  '056': 'LG2001',
  // `<!- ` in place of `<!-- `.
  '057': 'LG1002',
  // A comment before the XML declaration.
  '059': 'LG1002',
  // Transformations (XDT).
  '092': 'LG1011',
  '102': 'LG1011',
  '103': 'LG1011',
  '124': 'LG1011',
  '145': 'LG1011',
  '155': 'LG1011',
  '161': 'LG1011',
  '172': 'LG1011',
  '176': 'LG1011',
  '181': 'LG1011',
  // A line of hyphens inside a comment, which XML forbids.
  '104': 'LG1002',
  // The first letters of the file are missing.
  '110': 'LG1002',
  // Typographic quotes around values.
  '111': 'LG1002',
  // The file that a configSource names is not in the corpus.
  '115': 'LG1001',
  '116': 'LG1001',
  '137': 'LG1001',
  // <rules> twice in one file.
  '117': 'LG1009',
  // <notes> in a rule.
  '132': 'LG2002',
  // applicationRequestRouting as a section of system.webServer.
  '134': 'LG1008',
  // The start tag of <handlers> is cut.
  '142': 'LG1002',
  // A template: {NodeStartFile} in a pattern stands for a name.
  '148': 'LG2200',
  // allowedServerVariables in a web.config, where the stock declaration locks it.
  '157': 'LG1012',
  // IIS loads it: farms without a server, whose every answer would be 502.4.
  '175': 'LG3110',
  // IIS runs it: client certificates are demanded, which must be acknowledged here. Its configSource files are missing.
  '180': 'LG1001 LG1017',
};

const words = (list: string) => list.trim().split(/\s+/);

export const verdicts: ReadonlyMap<string, string> = new Map([
  ...words(accepted).map((number) => [number, 'accepted'] as const),
  ...Object.entries(refused),
]);
