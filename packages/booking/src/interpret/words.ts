/** Words by which titles say what they are, in the languages of the facilities we know. */

const word = (alternatives: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`, 'iu');

/** “noise cancellation” is a study, so that word counts only where the title begins with it. */
const CANCELLED = word(
  'cancell?ed|afgezegd|geannuleerd|vervallen|abgesagt|storniert|annul[ée]e?s?|cancelad[oa]',
);
const CANCELLATION = /^\W*(?:cancell?ation|annulering|absage|annulation)(?![\p{L}\p{N}])/iu;
const NOT = word('not|never|niet|nicht|pas|no');
const NO_BOOKING = word(
  'maintenance|service|servicing|repairs?|upgrades?|installation|qa|qc|quality (?:assurance|control)|calibration|' +
    'phantoms?|cleaning|closed|closure|blocked|block|reserved|holidays?|training|meeting|safety|inspection|' +
    'onderhoud|storing|gesloten|schoonmaak|wartung|gesperrt|reinigung',
);
const NO_DETAILS =
  /^(?:busy|private(?: appointment| event)?|bezet|priv[eé](?:-?afspraak)?|gebucht|besetzt|privater termin|occup[eé]|ocupado|unavailable|no title|\(no title\)|tentative|out of office)?$/iu;
const OPEN = word('tb[acd]|to be (?:announced|determined|decided|confirmed)|n\\.?n\\.?t?b?');
const OPEN_LABEL =
  /^(?:sub|ses|s|p)?[-_. ]*(?:tb[acd]|x{2,}|[?#]+|n\.?n\.?|none|unknown|onbekend|unbekannt|todo|later)$/iu;

/** “cancelled” typed into the title, but not “not cancelled”. */
export const saysCancelled = (title: string): boolean =>
  CANCELLATION.test(title) || (CANCELLED.test(title) && !NOT.test(title));
export const saysNoBooking = (title: string): boolean => NO_BOOKING.test(title);
/** Nothing but “Busy” or the like: the calendar hides the title. */
export const hidesDetails = (title: string): boolean => NO_DETAILS.test(title.trim());
/** “tba” somewhere in the title. */
export const saysOpen = (title: string): boolean => OPEN.test(title);
/** A label that stands for one that is not known yet: `tba`, `sub-xx`, `?`. */
export const isOpen = (label: string): boolean => OPEN_LABEL.test(label);
