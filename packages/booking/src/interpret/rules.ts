/** What interpretation takes: a calendar event, the facility's settings, and the rules of a good label. */
import type { LabelName, Labels, PartialLabels } from '../booking.ts';
import type { Matcher } from '../pattern/pattern.ts';
import type { Projects } from './projects.ts';

/** Rewrites labels, only ever as the configuration spells it out. */
export interface NormaliseRule {
  readonly case?: 'lower' | 'upper' | undefined;
  /** Put in front where the label does not begin with it, such as `sub-`. */
  readonly prefix?: string | undefined;
  /** The number at the end is filled up with zeros to this many digits. */
  readonly pad?: number | undefined;
}

export type NormaliseRules = Readonly<Partial<Record<keyof Labels, NormaliseRule | undefined>>>;

export interface Vocabulary {
  /** Over SUMMARY, with the named groups project, subject and session; the first that matches counts. */
  readonly patterns: readonly Matcher[];
  /** The words before the colon in lines of the description; case does not matter. */
  readonly keys: Readonly<Record<LabelName, readonly string[]>>;
  readonly normalise: NormaliseRules;
  /** DICOM modality by key of the scanner; its key may stand in front of a title. */
  readonly modalities: Readonly<Record<string, string>>;
}

export type ScannerRule =
  | { readonly name: string }
  | {
      /** What of the event names the scanner. */
      readonly by: 'location' | 'categories' | 'resource';
      /** Text of the calendar → key of the scanner; case does not matter. */
      readonly map: Readonly<Record<string, string>>;
      /** For events that name none of them: a scanner, or what becomes of the event. */
      readonly otherwise: { readonly name: string } | 'skip' | 'reject';
    };

export interface BookingRules extends Vocabulary {
  /** Key of the calendar in the configuration; part of each booking's identity. */
  readonly calendar: string;
  readonly scanner: ScannerRule;
  /** Labels that may be left out, and what they are then. */
  readonly defaults: PartialLabels;
  /** The only projects that are taken; undefined: any. */
  readonly projects?: Projects | undefined;
  /** What labels may be; undefined: as 0.1.0 judged them. */
  readonly labels?: LabelRules | undefined;
  /** IANA zone of the facility, in which projects begin and end. */
  readonly zone: string;
  readonly tentative: 'skip' | 'take' | 'reject';
  /** Events marked as private or confidential, where they show their labels. */
  readonly private: 'skip' | 'take' | 'reject';
  /** Events without details, “Busy”. */
  readonly busy: 'skip' | 'reject';
  /** Milliseconds of a booking whose event has no length. */
  readonly defaultLength: number;
  /** Templates with `{project}`, `{subject}` and `{session}`. */
  readonly patientId: string;
  readonly patientName: string;
}

export interface BookableEvent {
  readonly uid: string;
  /** Original start of an instance, a UTC instant; absent for a single event and the first of a series. */
  readonly recurrenceId?: string;
  /** Texts as Scanflow 0.1.0 read them, where it read one otherwise: bookings may be published under them. */
  readonly formerTexts?: {
    readonly summary: string;
    readonly description: string;
    readonly labels: PartialLabels | undefined;
  };
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly allDay: boolean;
  readonly summary: string;
  readonly description: string;
  readonly location?: string;
  /** Name of the organizer, or the address if there is no name. */
  readonly organizer?: string;
  readonly attendees: readonly string[];
  /**
   * Mail addresses of who booked: that of the organizer, or of those who attend where there is no organizer. An organizer may
   * invite anybody, so guests do not count beside one.
   */
  readonly bookers?: readonly string[];
  /** CATEGORIES, and the names and addresses of attendees that are rooms or resources. */
  readonly categories?: readonly string[];
  readonly resources?: readonly string[];
  /** Values of X-DICOM-PROJECT, X-DICOM-SUBJECT and X-DICOM-SESSION. */
  readonly labels?: PartialLabels;
  readonly status: 'CONFIRMED' | 'TENTATIVE' | 'CANCELLED';
  readonly transparency: 'OPAQUE' | 'TRANSPARENT';
  readonly class: 'PUBLIC' | 'PRIVATE' | 'CONFIDENTIAL';
}

/** An event that could not be read. */
export interface UnreadableEvent {
  readonly uid?: string;
  /** Original start of the instance that it would replace, a UTC instant. That instance is left out. */
  readonly recurrenceId?: string;
  readonly code: string;
  /** A sentence for the person who booked or runs the calendar. */
  readonly message: string;
  /** For the person who looks for the event. Do not log it. */
  readonly summary?: string;
  /** A UTC instant. */
  readonly start?: string;
}

// What a label may be, wherever it comes from: a booking, the attributes of an image, or a person's word.

export interface LabelRules {
  /** Each takes a whole label. */
  readonly patterns: Readonly<Partial<Record<keyof Labels, Matcher>>>;
  /** `ascii`: A to Z, 0 to 9 and marks; `letters`: also letters of one other alphabet. */
  readonly characters: 'ascii' | 'letters';
}

interface LabelProblem {
  readonly code: 'LABEL_CHARACTERS' | 'LABEL_FORM' | 'LABEL_LOOKALIKE' | 'LABEL_RESERVED' | 'LABEL_TOO_LONG';
  /** A sentence about the label that does not repeat its value. */
  readonly message: string;
}

const LONGEST = 64;
/** No `\`, `^`, `=`, `/`, `*`, `?` and controls, which mean something to DICOM or to file systems. */
const ANY = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._+()-]| (?! ))*$/u;
const ASCII = /^[A-Za-z0-9](?:[A-Za-z0-9._+()-]| (?! ))*$/;
/** Digits but 0 to 9: Arabic-Indic ones, superscripts, Roman numerals. */
const OTHER_DIGIT = /(?![0-9])\p{N}/u;

/** Folders and files of our own, below a root and in the folder of a series. */
const OURS = /^(?:\.?scanflow(?:[-_.].*)?|series\.(?:json|tar)|manifest-sha256\.txt)$/iu;
/** Names that Windows keeps for devices, with any extension, and ends that it drops. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)|[. ]$/iu;

/** What belongs to no script, and to all of them. */
const NO_LETTER = /[^\p{L}]|\p{Script=Common}|\p{Script=Inherited}/gu;
/** Cyrillic and Greek letters that look like Latin ones. */
const LIKE_LATIN = /^[аеорсухіјѕһԁԛԝАВЕЅІЈКМНОРСТУХҮΑΒΕΖΗΙΚΜΝΟΡΤΥΧονγικρυχ]+$/u;
/** Scripts that are written together (UTS 39, “highly restrictive”); a label keeps to one of these. */
const TOGETHER: readonly RegExp[] = [
  ...[/^[\p{scx=Latin}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]*$/u],
  ...[/^[\p{scx=Latin}\p{scx=Han}\p{scx=Hangul}]*$/u, /^[\p{scx=Latin}\p{scx=Han}\p{scx=Bopomofo}]*$/u],
  ...[/^\p{scx=Greek}*$/u, /^\p{scx=Cyrillic}*$/u, /^\p{scx=Armenian}*$/u, /^\p{scx=Georgian}*$/u],
  ...[/^\p{scx=Hebrew}*$/u, /^\p{scx=Arabic}*$/u, /^\p{scx=Devanagari}*$/u, /^\p{scx=Bengali}*$/u],
  ...[/^\p{scx=Tamil}*$/u, /^\p{scx=Telugu}*$/u, /^\p{scx=Thai}*$/u, /^\p{scx=Ethiopic}*$/u],
];

/**
 * What is wrong with a label; undefined where nothing is. Without rules a label is judged as 0.1.0 judged it, but for
 * names of our own files. Throws PatternTooSlow where a pattern with a time limit reaches it.
 */
export function labelProblem(
  name: keyof Labels,
  value: string,
  rules?: LabelRules,
): LabelProblem | undefined {
  if (value.length > LONGEST)
    return { code: 'LABEL_TOO_LONG', message: `The ${name} is longer than ${LONGEST} characters.` };
  if (!(rules?.characters === 'ascii' ? ASCII : ANY).test(value)) return characters(name, value, rules);
  if (OURS.test(value) || (rules !== undefined && DEVICE.test(value)))
    return {
      code: 'LABEL_RESERVED',
      message: `The ${name} is a name that is reserved for a file or device.`,
    };
  if (rules === undefined) return undefined;
  if (looksLikeAnother(value))
    return {
      code: 'LABEL_LOOKALIKE',
      message: `The ${name} mixes alphabets, or has digits other than 0 to 9, so that it looks like another one.`,
    };
  const { [name]: pattern } = rules.patterns;
  return pattern === undefined || pattern.exec(value) !== null
    ? undefined
    : {
        code: 'LABEL_FORM',
        message: `The ${name} is not written as this facility writes it${wrongPlace(value, pattern)}.`,
      };
}

const nameOf = (character: string): string => (character === ' ' ? 'blank' : `“${character}”`);

/** The first character behind the longest beginning that would be right by itself; it says nothing about a person. */
function wrongPlace(value: string, pattern: Matcher): string {
  // each try may take as long as its time limit
  if ('engine' in pattern && pattern.engine !== 'linear') return '';
  for (let length = value.length - 1; length > 0; length -= 1)
    if (pattern.exec(value.slice(0, length)) !== null)
      return `: the ${nameOf(value.charAt(length))} at place ${length + 1} does not belong there`;
  return '';
}

/**
 * Whether a label can be taken for another: letters of two alphabets, or only such as look like Latin ones (UTS 39),
 * other digits, wide and small forms, accents apart from their letters.
 */
export function looksLikeAnother(value: string): boolean {
  if (/^[ -~]*$/.test(value)) return false;
  const letters = value.replaceAll(NO_LETTER, '');
  return (
    OTHER_DIGIT.test(value) ||
    value !== value.normalize('NFKC') ||
    LIKE_LATIN.test(letters) ||
    !TOGETHER.some((script) => script.test(letters))
  );
}

function characters(name: keyof Labels, value: string, rules: LabelRules | undefined): LabelProblem {
  const ascii = rules?.characters === 'ascii';
  const letters = ascii ? 'the letters A to Z, the digits 0 to 9' : 'letters, digits';
  return {
    code: 'LABEL_CHARACTERS',
    message: `The ${name} ${wrongPart(value, ascii)}. It may hold only ${letters} and . _ - + ( ), and begins with a letter or digit.`,
  };
}

/** The first character that no label may hold: it says nothing about a person. */
function wrongPart(value: string, ascii: boolean): string {
  const allowed = ascii ? /[A-Za-z0-9._+() -]/ : /[\p{L}\p{M}\p{N}._+() -]/u;
  const wrong = Array.from(value).find((character) => !allowed.test(character));
  if (wrong !== undefined)
    return /\p{C}|\s/u.test(wrong) ? 'has a character that does not show' : `has the character “${wrong}”`;
  return value.includes('  ') ? 'has two blanks in a row' : `begins with “${value.charAt(0)}”`;
}
