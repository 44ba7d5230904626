/**
 * ECMAScript pattern syntax (`u` flag) into that of RE2, with the same meaning. The two differ in what `\s`, `.` and
 * `[]` are, in escapes, in groups inside repetitions, and in repetitions of nothing.
 */

/** Why a pattern means something else to RE2, or nothing. The message completes “it …”. */
export class Untranslatable extends Error {
  override readonly name = 'Untranslatable';
}

/** WhiteSpace and LineTerminator (ECMA-262 12.2, 12.3), as ranges of a class, and all that is neither. */
const SPACE = String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
const NO_SPACE = String.raw`\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`;
const NO_LINE_END = String.raw`[^\n\r\x{2028}\x{2029}]`;
const ANY = String.raw`\x00-\x{10ffff}`;

/** General categories by their long names (Unicode, PropertyValueAliases.txt); the short ones are the same in both. */
const CATEGORIES: Readonly<Record<string, string>> = {
  ...{ Letter: 'L', Uppercase_Letter: 'Lu', Lowercase_Letter: 'Ll', Titlecase_Letter: 'Lt' },
  ...{ Modifier_Letter: 'Lm', Other_Letter: 'Lo', Mark: 'M', Number: 'N', Decimal_Number: 'Nd' },
  ...{ Punctuation: 'P', Symbol: 'S', Separator: 'Z', Space_Separator: 'Zs', Other: 'C', Control: 'Cc' },
};

interface Part {
  readonly text: string;
  /** Whether it can match nothing. */
  readonly empty: boolean;
  /** Whether it holds a group that captures. */
  readonly captures: boolean;
}

/** Takes a pattern that `new RegExp(source, 'u')` takes; throws Untranslatable. */
export function translate(source: string): string {
  return new Translator(source).all();
}

class Translator {
  readonly #source: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#source = Array.from(source);
  }

  all(): string {
    return this.#alternatives().text;
  }

  #peek(ahead = 0): string {
    return this.#source[this.#at + ahead] ?? '';
  }

  #next(): string {
    const character = this.#peek();
    this.#at += 1;
    return character;
  }

  /** What stands up to the next `end`, which is taken too. */
  #until(end: string): string {
    const from = this.#at;
    while (this.#next() !== end);
    return this.#source.slice(from, this.#at - 1).join('');
  }

  #startsWith(text: string): boolean {
    return Array.from(text).every((character, index) => this.#peek(index) === character);
  }

  #alternatives(): Part {
    const parts = [this.#sequence()];
    while (this.#peek() === '|') {
      this.#at += 1;
      parts.push(this.#sequence());
    }
    return {
      text: parts.map(({ text }) => text).join('|'),
      empty: parts.some(({ empty }) => empty),
      captures: parts.some(({ captures }) => captures),
    };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (!['', '|', ')'].includes(this.#peek())) parts.push(this.#repeated(this.#atom()));
    return {
      text: parts.map(({ text }) => text).join(''),
      empty: parts.every(({ empty }) => empty),
      captures: parts.some(({ captures }) => captures),
    };
  }

  #repeated(part: Part): Part {
    const [min, max, sign] = this.#quantifier();
    if (sign === '') return part;
    // ECMAScript refuses a turn that takes nothing, and empties groups at each turn; RE2 does neither
    if (part.empty)
      throw new Untranslatable('repeats what may be empty; repeat something that takes a character');
    if (part.captures && max !== 1)
      throw new Untranslatable('has a group inside a repetition; repeat something without a group in it');
    return { ...part, text: part.text + sign, empty: min === 0 };
  }

  #quantifier(): [min: number, max: number, text: string] {
    const character = this.#peek();
    if (!['*', '+', '?', '{'].includes(character)) return [1, 1, ''];
    this.#at += 1;
    const counts = character === '{' ? this.#until('}') : '';
    const lazy = this.#peek() === '?' ? this.#next() : '';
    if (character !== '{') {
      const max = character === '?' ? 1 : Infinity;
      return [character === '+' ? 1 : 0, max, character + lazy];
    }
    const [min = '', max = min] = counts.split(',');
    return [Number(min), max === '' ? Infinity : Number(max), `{${counts}}${lazy}`];
  }

  #atom(): Part {
    const character = this.#next();
    if (character === '(') return this.#group();
    const single = { empty: false, captures: false };
    if (character === '[') return { ...single, text: this.#class() };
    if (character === '.') return { ...single, text: NO_LINE_END };
    if (character === '^' || character === '$') return { ...single, text: character, empty: true };
    if (character !== '\\') return { ...single, text: literal(character) };
    const escape = this.#peek();
    if (escape === 'b' || escape === 'B') return { ...single, text: `\\${this.#next()}`, empty: true };
    if (escape === 's' || escape === 'S') {
      this.#at += 1;
      return { ...single, text: `[${escape === 's' ? SPACE : NO_SPACE}]` };
    }
    return { ...single, text: this.#escape() };
  }

  #group(): Part {
    let open = '(';
    if (this.#startsWith('?:')) {
      this.#at += 2;
      open = '(?:';
    } else if (this.#startsWith('?=') || this.#startsWith('?!')) throw new Untranslatable('looks ahead');
    else if (this.#startsWith('?<=') || this.#startsWith('?<!')) throw new Untranslatable('looks behind');
    else if (this.#startsWith('?<')) {
      this.#at += 2;
      open = `(?P<${this.#name()}>`;
    } else if (this.#peek() === '?')
      throw new Untranslatable('sets flags inside, like (?i:…); write both, like [Ss]ub');
    const inside = this.#alternatives();
    this.#at += 1;
    const captures = open !== '(?:' || inside.captures;
    return { text: `${open}${inside.text})`, empty: inside.empty, captures };
  }

  #name(): string {
    const name = this.#until('>');
    if (!/^\w+$/.test(name)) throw new Untranslatable('names a group with other letters than A to Z');
    return name;
  }

  #class(): string {
    const negated = this.#peek() === '^' ? this.#next() : '';
    let items = '';
    while (this.#peek() !== ']') {
      items += this.#classAtom();
      // a hyphen at the end stands for itself
      if (this.#peek() === '-' && this.#peek(1) !== ']') {
        this.#at += 1;
        items += `-${this.#classAtom()}`;
      }
    }
    this.#at += 1;
    if (items === '') return negated === '' ? `[^${ANY}]` : `[${ANY}]`;
    return `[${negated}${items}]`;
  }

  #classAtom(): string {
    const character = this.#next();
    if (character !== '\\') return literal(character);
    const escape = this.#peek();
    if (!['s', 'S', 'b'].includes(escape)) return this.#escape();
    this.#at += 1;
    if (escape === 'b') return String.raw`\x08`;
    return escape === 's' ? SPACE : NO_SPACE;
  }

  /** After the backslash. */
  #escape(): string {
    const character = this.#next();
    if ('dDwWtnvfr'.includes(character)) return `\\${character}`;
    if (character === 'u') return this.#unicode();
    if (character === 'x') return codePoint(Number.parseInt(this.#next() + this.#next(), 16));
    if (character === '0') return codePoint(0);
    if (character === 'c') return codePoint((this.#next().codePointAt(0) ?? 0) % 32);
    if (character === 'p' || character === 'P') {
      this.#at += 1;
      return `\\${character}{${property(this.#until('}'))}}`;
    }
    if (character === 'k' || /\d/.test(character)) throw new Untranslatable('refers back to a group');
    return literal(character);
  }

  /** After `\u`. Two halves of a surrogate pair are one character. */
  #unicode(): string {
    if (this.#peek() === '{') {
      this.#at += 1;
      return codePoint(Number.parseInt(this.#until('}'), 16));
    }
    const first = this.#four();
    if (first < 0xd800 || first > 0xdbff || !this.#startsWith(String.raw`\u`)) return codePoint(first);
    this.#at += 2;
    return codePoint(String.fromCharCode(first, this.#four()).codePointAt(0) ?? 0);
  }

  #four(): number {
    return Number.parseInt(this.#next() + this.#next() + this.#next() + this.#next(), 16);
  }
}

function property(name: string): string {
  const [key = '', value] = name.split('=');
  if (value === undefined || key === 'gc' || key === 'General_Category') {
    const category = value ?? key;
    const short = CATEGORIES[category] ?? category;
    if (/^(?:[CLMNPSZ]|Cc|Cf|L[lmotu]|M[cen]|N[dlo]|P[cdefios]|S[ckmo]|Z[lps])$/.test(short)) return short;
  }
  if (value !== undefined && (key === 'Script' || key === 'sc')) return value;
  throw new Untranslatable(`asks for the property ${name}; write \\p{L} for letters or \\p{Nd} for digits`);
}

const codePoint = (code: number): string => {
  if (code >= 0xd800 && code <= 0xdfff) throw new Untranslatable('asks for half of a surrogate pair');
  return `\\x{${code.toString(16)}}`;
};

/** A character that stands for itself, in a class too. */
const literal = (character: string): string =>
  /^[A-Za-z0-9_]$/.test(character) ? character : codePoint(character.codePointAt(0) ?? 0);
