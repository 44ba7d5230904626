/** Words by which titles say what they are, in the languages of the facilities we know. */
import { word } from './whole-word.ts';

const NO_BOOKING = word(
  'maintenance|service|servicing|repairs?|upgrades?|installation|qa|qc|quality (?:assurance|control)|calibration|' +
    'phantoms?|cleaning|closed|closure|blocked|block|reserved|holidays?|training|meeting|safety|inspection|' +
    'onderhoud|storing|gesloten|schoonmaak|wartung|gesperrt|reinigung',
);
const NO_DETAILS =
  /^(?:busy|private(?: appointment| event)?|bezet|priv[eé](?:-?afspraak)?|gebucht|besetzt|privater termin|occup[eé]|ocupado|unavailable|no title|\(no title\)|tentative|out of office)?$/iu;
const OPEN = word('tb[acd]|to be (?:announced|determined|decided|confirmed)|n\\.?n\\.?t?b?');
/** What stands for a label, or behind `sub-`, until it is known. */
const BLANK =
  'tb[acd]|[?#*_…]+|\\.{2,}|x{2,}|n{2,}|y{2,}|n\\.n\\.|none|unknown|onbekend|unbekannt|inconnue?|ukendt|ukjent|ok[äa]nd|' +
  'desconocid[oa]|sconosciut[oa]|nieznany|nezn[áa]m[ýy]|todo|later|nvt|n/?a|nr|\\[nr\\]|<nr>';
const OPEN_LABEL = new RegExp(`^(?:(?:sub(?:ject)?|ses(?:sion)?|s|p)?[-_. ]*(?:${BLANK})|[-_. ]+)$`, 'iu');
/** The same behind other characters: `ses-mri01?`, `sub-con0XX`, `ses-mriXX`, `sub-0X`. */
const OPEN_END = /[?#]$|\p{N}[xX]{2,}$|(?<!\p{Lu})X{2,}$|(?<!\p{N})0+[xX]$/u;
/** A number that is not whole yet: `3010000.XX`, `301XXXX.01`, `3010000.??`. */
const OPEN_NUMBER = /^[X.]{3,}$|^(?=.*\d)(?:[\d.]|X{2,}|\?+)*(?:X{2,}|\?)(?:[\d.]|X{2,}|\?+)*$/u;

export const saysNoBooking = (title: string): boolean => NO_BOOKING.test(title);
/** Nothing but “Busy” or the like: the calendar hides the title. */
export const hidesDetails = (title: string): boolean => NO_DETAILS.test(title.trim());
/** “tba” somewhere in the title. */
export const saysOpen = (title: string): boolean => OPEN.test(title);
/** Words such as `sub-???`, `ses-0XX` and `3010000.XX` of a title that is not read, in their order. */
export const openWords = (title: string): string[] =>
  title
    .split(/[\s,;]+/u)
    .filter((text) => (/^\p{L}{2,}[-_]/u.test(text) ? isOpen(text) : OPEN_NUMBER.test(text)));
/** A label that stands for one that is not known yet: `tba`, `sub-xx`, `?`, `ses-mri01?`. */
export const isOpen = (label: string): boolean => OPEN_LABEL.test(label) || OPEN_END.test(label);
