/**
 * The viewer's modules as browsers load them: TypeScript without its types, and imports as addresses. `browser` of a package's
 * exports and imports is taken, as bundlers do. Read once, at start.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/** Of all packages and node_modules: addresses are paths below it. */
const ROOT = join(import.meta.dirname, '../../../..');
const IMPORT =
  /^(\s*(?:import|export)\b[^'"]*?\bfrom\s*|\s*import\s*)(['"])([^'"]+)\2(\s*with\s*\{[^}]*\})?/gm;
const CONDITIONS: ReadonlySet<string> = new Set(['browser', 'import', 'default']);

/** A module and all that it imports, by their address. */
export function modules(entry: string, base: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const open = [realpathSync(entry)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const at = addressOf(path, base);
    if (found.has(at)) continue;
    const from = path;
    const code = codeOf(path).replaceAll(IMPORT, (_all, head: string, quote: string, name: string) => {
      const target = resolved(name, from);
      open.push(target);
      return head + quote + addressOf(target, base) + quote;
    });
    found.set(at, code);
  }
  return found;
}

export const addressOf = (path: string, base: string): string =>
  `${base}${relative(ROOT, path)
    .replaceAll('\\', '/')
    .replace(/\.(?:ts|json)$/, '.js')}`;

function codeOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (path.endsWith('.ts')) return stripTypeScriptTypes(text);
  // a module of JSON would be fetched by connect-src
  return path.endsWith('.json') ? `export default ${text.trim()};\n` : text;
}

function resolved(name: string, from: string): string {
  if (name.startsWith('.')) return realpathSync(join(dirname(from), name));
  const isOwn = name.startsWith('#');
  const manifest = findPackageJSON(isOwn ? '.' : name, pathToFileURL(from));
  if (manifest === undefined) throw new Error(`${from} imports ${name}, which is not installed.`);
  const { imports, exports, name: own } = packageJson.parse(JSON.parse(readFileSync(manifest, 'utf8')));
  const target = isOwn ? imports[name] : exports[`.${name.slice(own.length)}`];
  const file = chosen(target);
  if (file === undefined) throw new Error(`${from} imports ${name}, which is nothing for browsers.`);
  return realpathSync(join(dirname(manifest), file));
}

const packageJson = z.object({
  name: z.string(),
  imports: z.record(z.string(), z.unknown()).default({}),
  exports: z.record(z.string(), z.unknown()).default({}),
});

/** The first condition that applies decides (Node.js, packages, conditional exports). */
function chosen(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  const [, inner] = Object.entries(target).find(([condition]) => CONDITIONS.has(condition)) ?? [];
  return chosen(inner);
}
