using System.Text;

namespace CacheEngine.Load.Reports;

/// <summary>A Markdown table that is as easy to read as plain text: columns are as wide as what they hold, and figures stand to the right.</summary>
internal sealed class TextTable(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    /// <summary>The columns that hold figures.</summary>
    public Range Figures { get; init; } = 1..;

    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. headers.Select((header, column) => Math.Max(header.Length, _rows.Select(row => row[column].Length).DefaultIfEmpty(0).Max()))];
        var text = new StringBuilder();
        AppendRow(text, headers, widths);
        text.Append('|');
        for (int column = 0; column < widths.Length; column++)
        {
            text.Append(' ').Append('-', widths[column] - (IsText(column) ? 0 : 1)).Append(IsText(column) ? " |" : ": |");
        }

        text.Append('\n');
        _rows.ForEach(row => AppendRow(text, row, widths));
        return text.ToString();
    }

    private void AppendRow(StringBuilder text, string[] cells, int[] widths)
    {
        text.Append('|');
        for (int column = 0; column < widths.Length; column++)
        {
            string cell = IsText(column) ? cells[column].PadRight(widths[column]) : cells[column].PadLeft(widths[column]);
            text.Append(' ').Append(cell).Append(" |");
        }

        text.Append('\n');
    }

    private bool IsText(int column)
    {
        (int first, int count) = Figures.GetOffsetAndLength(headers.Length);
        return column < first || column >= first + count;
    }
}
