const names = (list: string): ReadonlySet<string> => new Set(list.split(' '))

/**
 * Every element that HTML defines or once defined, without the content of `svg` and `math`, which never stands alone.
 */
export const htmlElements = names('a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br ' +
  'button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure ' +
  'font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins kbd label legend li link listing main ' +
  'map mark marquee math menu meta meter nav nobr noembed noframes noscript object ol optgroup option output p param picture plaintext pre ' +
  'progress q rb rp rt rtc ruby s samp script search section select slot small source span strike strong style sub summary sup svg table tbody ' +
  'td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp')

/** Elements on a line of their own. All others, unknown ones too, are part of a line of text, as in browsers. */
export const blockElements = names('address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption ' +
  'figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p plaintext pre search section ' +
  'summary table tbody td tfoot th thead tr ul xmp')

/** Elements that show nothing. */
export const silentElements = names('base basefont col colgroup datalist head link meta noembed noframes noscript param script style template title wbr')

/** Elements that show something for which there is no block. */
export const lostElements = names('applet area bgsound canvas frame iframe input object select svg textarea')

/** Elements whose look or meaning has no mark and no block; the text stays. */
export const plainElements = names('big caption dl q ruby small sub sup')

/** Elements whose content is hidden or not read as markup: left open, they hide the rest of the document. */
export const enclosingElements = names('applet audio canvas datalist dialog iframe math noembed noframes noscript object script select style svg ' +
  'template textarea title video xmp')

/** Elements that have no end tag. */
export const voidElements = names('area base basefont bgsound br col embed frame hr img input link meta param source track wbr')
