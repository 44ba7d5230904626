/** The failure codes that the product can give, read from its source; and those that the documentation names. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
/**
 * Phantoms imitate vendors, whose private creators look like codes. The testkit is no part of the product. The
 * catalogue describes codes and gives none.
 */
const LEFT_OUT = [
  /\.test\.ts$/,
  /^packages\/failure\/src\/catalogue\//,
  /^packages\/testkit\//,
  /^packages\/dicom\/src\/phantom\//,
];
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
const WORD = /^[A-Z]{2,}$/;
/** What builds a failure of that kind. */
const KINDS = new Set(['permanent', 'transient', 'ambiguous']);

export interface SourceCode {
  readonly files: Set<string>;
  /** By which of `permanent()`, `transient()`, `ambiguous()` or `kind: …` it is made. */
  readonly kinds: Set<string>;
}

/**
 * Every text of the form `STORE_DISK_FULL` in the source; and single words where they stand as a code: `code: 'X'`,
 * first argument of what builds a failure or an error, member of a type that is called …Code or of a member `code`.
 */
export async function codesInSource(): Promise<Map<string, SourceCode>> {
  const found = new Map<string, SourceCode>();
  for (const folder of ['packages', 'services'])
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      const path = join(ROOT, folder, entry);
      const name = relative(ROOT, path);
      if (!/^(packages|services)\/[^/]+\/src\/.*\.ts$/.test(name) || LEFT_OUT.some((out) => out.test(name)))
        continue;
      const source = ts.createSourceFile(name, await readFile(path, 'utf8'), ts.ScriptTarget.Latest, true);
      visit(source, name, found);
    }
  return found;
}

function visit(node: ts.Node, file: string, found: Map<string, SourceCode>): void {
  if (ts.isStringLiteralLike(node) && (CODE.test(node.text) || (WORD.test(node.text) && isCode(node)))) {
    const known = found.get(node.text) ?? { files: new Set(), kinds: new Set() };
    found.set(node.text, known);
    known.files.add(file);
    for (const kind of kindsOf(node)) known.kinds.add(kind);
  }
  ts.forEachChild(node, (child) => {
    visit(child, file, found);
  });
}

function isCode(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return parent.name.getText() === 'code' && parent.initializer === node;
  if (ts.isNewExpression(parent))
    return parent.arguments?.[0] === node && /Error|FailureError/.test(parent.expression.getText());
  if (ts.isCallExpression(parent))
    return parent.arguments[0] === node && KINDS.has(parent.expression.getText());
  if (!ts.isLiteralTypeNode(parent)) return false;
  const type = ts.isUnionTypeNode(parent.parent) ? parent.parent.parent : parent.parent;
  if (ts.isPropertySignature(type)) return type.name.getText() === 'code';
  return ts.isTypeAliasDeclaration(type) && type.name.text.endsWith('Code');
}

/** Those by which this code is made: `permanent('X', …)`, `(passes ? transient : permanent)('X', …)`, `{ kind: …, code: 'X' }`. */
function kindsOf(node: ts.StringLiteralLike): string[] {
  const { parent } = node;
  if (ts.isCallExpression(parent) && parent.arguments[0] === node)
    return [...parent.expression.getText().matchAll(/\w+/g)]
      .map(([word]) => word)
      .filter((word) => KINDS.has(word));
  if (!ts.isPropertyAssignment(parent) || !ts.isObjectLiteralExpression(parent.parent)) return [];
  return parent.parent.properties.flatMap((property) =>
    ts.isPropertyAssignment(property) &&
    property.name.getText() === 'kind' &&
    ts.isStringLiteralLike(property.initializer) &&
    KINDS.has(property.initializer.text)
      ? [property.initializer.text]
      : [],
  );
}

export interface DocumentedCode {
  readonly code: string;
  /** The second cell of its row. */
  readonly kind: string;
  /** The last cell: what to do. */
  readonly advice: string;
}

/** The rows of a page's tables whose first cell names codes. */
export async function codesInPage(page: string): Promise<DocumentedCode[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  return text.split('\n').flatMap((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const [, names = '', kind = ''] = cells;
    const advice = cells.at(-2) ?? '';
    const codes = [...names.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].flatMap(([, code]) => code ?? []);
    return codes.map((code) => ({ code, kind, advice }));
  });
}
