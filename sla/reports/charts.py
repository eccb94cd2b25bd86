"""A chart as DrawingML, which Word and its relatives draw themselves and people can edit; pure.

The figures stand twice in a file: in an embedded workbook, which is what "edit data" opens, and as a copy
in the chart, which is what is drawn.
"""

from xml.sax.saxutils import escape

from sla.reports.document import Chart, ChartKind, Format

# The colours of the console's charts (web/static/css): told apart by the colour-blind, and by their grey.
COLOURS = ("1F5FBF", "E08A00", "2E7D32", "8E44AD", "C0392B", "607D8B")
CODES = {
    Format.RATE: "0.0%",
    Format.CHANGE: "+0.0%;-0.0%;0.0%",
    Format.SCORE: "0.00",
    Format.SECONDS: "0",
    Format.SPAN: "[h]:mm:ss",
    Format.COUNT: "#,##0",
}
_OPEN = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<c:roundedCorners val="0"/>'
)
SHEET = "数据"


def chart_xml(chart: Chart, workbook: str) -> bytes:
    """The chart part; `workbook` is the id of the relation to the embedded workbook."""
    code = CODES.get(chart.format, "General")
    series = "".join(_series(chart, place, code) for place in range(len(chart.series)))
    body = (
        f'<c:chart>{_title(chart.title)}<c:autoTitleDeleted val="0"/><c:plotArea><c:layout/>'
        f"{_plot(chart, series)}{_axes(chart, code)}</c:plotArea>{_legend(chart)}"
        '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>'
        f"{_font(1000)}"
        f'<c:externalData r:id="{workbook}"><c:autoUpdate val="0"/></c:externalData></c:chartSpace>'
    )
    return (_OPEN + body).encode()


def _plot(chart: Chart, series: str) -> str:
    axes = '<c:axId val="1"/><c:axId val="2"/>'
    if chart.kind is ChartKind.LINES:
        head = '<c:grouping val="standard"/><c:varyColors val="0"/>'
        return f'<c:lineChart>{head}{series}<c:marker val="1"/>{axes}</c:lineChart>'
    head = '<c:barDir val="bar"/><c:grouping val="clustered"/><c:varyColors val="0"/>'
    return f'<c:barChart>{head}{series}<c:gapWidth val="60"/>{axes}</c:barChart>'


def _series(chart: Chart, place: int, code: str) -> str:
    name, values = chart.series[place]
    column = chr(ord("B") + place)
    rows = len(chart.categories) + 1
    colour = COLOURS[place % len(COLOURS)]
    if chart.kind is ChartKind.LINES:
        line = f'<a:ln w="25400"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></a:ln>'
        look = f"<c:spPr>{line}</c:spPr>{_marker(place, colour)}"
    else:
        fill = f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
        look = f'<c:spPr>{fill}</c:spPr><c:invertIfNegative val="0"/>'
    points = "".join(
        f'<c:pt idx="{number}"><c:v>{value!r}</c:v></c:pt>'
        for number, value in enumerate(values)
        if value is not None
    )
    labels = "".join(
        f'<c:pt idx="{number}"><c:v>{escape(text)}</c:v></c:pt>'
        for number, text in enumerate(chart.categories)
    )
    count = f'<c:ptCount val="{len(values)}"/>'
    title = f'<c:pt idx="0"><c:v>{escape(name)}</c:v></c:pt>'
    return (
        f'<c:ser><c:idx val="{place}"/><c:order val="{place}"/>'
        f"<c:tx><c:strRef><c:f>{SHEET}!${column}$1</c:f>"
        f'<c:strCache><c:ptCount val="1"/>{title}</c:strCache></c:strRef></c:tx>{look}'
        f"{_labels(chart, code)}"
        f"<c:cat><c:strRef><c:f>{SHEET}!$A$2:$A${rows}</c:f>"
        f"<c:strCache>{count}{labels}</c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:f>{SHEET}!${column}$2:${column}${rows}</c:f>"
        f"<c:numCache><c:formatCode>{escape(code)}</c:formatCode>{count}{points}</c:numCache></c:numRef></c:val>"
        f"{'' if chart.kind is ChartKind.BARS else '<c:smooth val=' + chr(34) + '0' + chr(34) + '/>'}</c:ser>"
    )


def _marker(place: int, colour: str) -> str:
    """Lines differ by their marks as well as by their colours."""
    symbol = ("circle", "square", "triangle", "diamond", "x", "plus")[place % 6]
    fill = f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
    return f'<c:marker><c:symbol val="{symbol}"/><c:size val="6"/><c:spPr>{fill}</c:spPr></c:marker>'


def _labels(chart: Chart, code: str) -> str:
    """Bars say their figure, when there are few enough to read it."""
    shown = chart.kind is ChartKind.BARS and len(chart.series) == 1
    hidden = (
        '<c:showLegendKey val="0"/>'
        f'<c:showVal val="{int(shown)}"/><c:showCatName val="0"/><c:showSerName val="0"/>'
        '<c:showPercent val="0"/><c:showBubbleSize val="0"/>'
    )
    return f'<c:dLbls><c:numFmt formatCode="{escape(code)}" sourceLinked="0"/>{hidden}</c:dLbls>'


def _axes(chart: Chart, code: str) -> str:
    bars = chart.kind is ChartKind.BARS
    # Bars lie: the first category is to stand at the top.
    order = "maxMin" if bars else "minMax"
    every = '<c:tickLblSkip val="1"/>' if bars else ""  # no name is left out
    highest = '<c:max val="1"/>' if chart.format is Format.RATE else ""
    code = "0" if chart.format is Format.SCORE else code
    grid = '<a:ln w="6350"><a:solidFill><a:srgbClr val="D9D9D9"/></a:solidFill></a:ln>'
    return (
        f'<c:catAx><c:axId val="1"/><c:scaling><c:orientation val="{order}"/></c:scaling>'
        f'<c:delete val="0"/><c:axPos val="{"l" if bars else "b"}"/>'
        '<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/>'
        f'<c:crossAx val="2"/><c:crosses val="autoZero"/>{every}</c:catAx>'
        f'<c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/>{highest}</c:scaling>'
        f'<c:delete val="0"/><c:axPos val="{"b" if bars else "l"}"/>'
        f"<c:majorGridlines><c:spPr>{grid}</c:spPr></c:majorGridlines>"
        f'<c:numFmt formatCode="{escape(code)}" sourceLinked="0"/>'
        '<c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/>'
        f'<c:crossAx val="1"/><c:crosses val="{"max" if bars else "autoZero"}"/></c:valAx>'
    )


def _title(text: str) -> str:
    size = '<a:defRPr sz="1200" b="1"/>'
    run = f'<a:r><a:rPr lang="zh-CN" sz="1200" b="1"/><a:t>{escape(text)}</a:t></a:r>'
    return (
        f"<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr>{size}</a:pPr>{run}</a:p></c:rich></c:tx>"
        '<c:overlay val="0"/></c:title>'
    )


def _legend(chart: Chart) -> str:
    if len(chart.series) == 1:
        return ""
    return '<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>'


def _font(size: int) -> str:
    look = f'<a:pPr><a:defRPr sz="{size}"/></a:pPr><a:endParaRPr lang="zh-CN"/>'
    return f"<c:txPr><a:bodyPr/><a:p>{look}</a:p></c:txPr>"
