import { strToU8, zipSync } from 'fflate';

/** What a workbook made by hand consists of, where it is to differ from the plainest one. */
export interface WorkbookParts {
  /** XML between `<sheetData>` and its end, by the name of the sheet. */
  sheets: Record<string, string>;
  /** Number formats of the styles 1, 2, … */
  formats?: string[];
  workbookProperties?: string;
  /** The names of hidden sheets. */
  hidden?: string[];
  strings?: string[];
}

/** The bytes of a workbook. */
export function workbookFile({
  sheets,
  formats = [],
  workbookProperties = '',
  hidden = [],
  strings = [],
}: WorkbookParts): Buffer {
  const names = Object.keys(sheets);
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`;
  const numbered = formats.map((code, index) => [200 + index, code] as const);
  const parts: Record<string, string> = {
    'xl/workbook.xml': `<workbook xmlns:r="r">${workbookProperties}<sheets>${names
      .map(
        (name, index) =>
          `<sheet name="${name}"${hidden.includes(name) ? ' state="hidden"' : ''} sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
      )
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${names
      .map((_, index) => relation(`rId${index + 1}`, 'worksheet', `worksheets/sheet${index + 1}.xml`))
      .join(
        '',
      )}${relation('rIdS', 'styles', 'styles.xml')}${relation('rIdT', 'sharedStrings', 'sharedStrings.xml')}</Relationships>`,
    'xl/styles.xml': `<styleSheet><numFmts>${numbered
      .map(([id, code]) => `<numFmt numFmtId="${id}" formatCode="${code}"/>`)
      .join('')}</numFmts><cellXfs><xf numFmtId="0"/>${numbered
      .map(([id]) => `<xf numFmtId="${id}"/>`)
      .join('')}</cellXfs></styleSheet>`,
    'xl/sharedStrings.xml': `<sst>${strings.map((text) => `<si><t>${text}</t></si>`).join('')}</sst>`,
  };
  names.forEach((name, index) => {
    parts[`xl/worksheets/sheet${index + 1}.xml`] =
      `<worksheet><sheetData>${sheets[name]}</sheetData></worksheet>`;
  });
  return Buffer.from(
    zipSync(Object.fromEntries(Object.entries(parts).map(([name, xml]) => [name, strToU8(xml)]))),
  );
}

/** A row of texts. */
export function textRow(row: number, texts: string[]): string {
  return `<row r="${row}">${texts
    .map(
      (text, index) =>
        `<c r="${String.fromCharCode(65 + index)}${row}" t="inlineStr"><is><t>${text}</t></is></c>`,
    )
    .join('')}</row>`;
}
