/** A list of projects as text. */

/** One project a line, `#` begins a comment; or a JSON array of texts. Undefined where there is none. */
export function parseProjects(text: string): ReadonlySet<string> | undefined {
  const trimmed = text.replace(/^\ufeff/u, '').trim();
  const names = trimmed.startsWith('[') ? fromJson(trimmed) : fromLines(trimmed);
  return names.length === 0 || names.some((name) => name.length > 64 || name.startsWith('<'))
    ? undefined
    : new Set(names);
}

const fromLines = (text: string): string[] =>
  text
    .split(/\r\n?|\n/u)
    .map((line) => line.replace(/(?:^|\s)#.*$/u, '').trim())
    .filter((line) => line !== '');

function fromJson(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? value.map((one) => one.trim()).filter((one) => one !== '')
      : [];
  } catch {
    return [];
  }
}
