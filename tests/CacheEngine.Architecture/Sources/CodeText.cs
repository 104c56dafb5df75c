using System.Text;

namespace CacheEngine.Architecture.Sources;

/// <summary>
/// A source text taken apart into code and comments, both as long as the text: what does not belong is blank, so offsets and lines stay.
/// </summary>
/// <remarks>Literals are blank in both, holes of interpolated ones too. Enough of the language for rules of text; not a parser.</remarks>
internal sealed class CodeText
{
    private readonly string _text;
    private readonly StringBuilder _code;
    private readonly StringBuilder _comments;
    private int _at;

    private CodeText(string text)
    {
        _text = text;
        string blank = new([.. text.Select(static c => c == '\n' ? '\n' : ' ')]);
        _code = new StringBuilder(blank);
        _comments = new StringBuilder(blank);
    }

    public string Code { get; private set; } = "";

    public string Comments { get; private set; } = "";

    public static CodeText Parse(string text)
    {
        var parsed = new CodeText(text);
        parsed.Run();
        return parsed;
    }

    /// <summary>The number of the line that an offset stands in, from 1.</summary>
    public int LineOf(int offset) => _text.AsSpan(0, offset).Count('\n') + 1;

    private void Run()
    {
        while (_at < _text.Length)
        {
            if (At("//"))
            {
                Copy(_comments, EndOf("\n", 0));
            }
            else if (At("/*"))
            {
                Copy(_comments, EndOf("*/", 2) + 2);
            }
            else if (_text[_at] is '"' or '\'')
            {
                SkipLiteral(_text[_at]);
            }
            else
            {
                _code[_at] = _text[_at];
                _at++;
            }
        }

        Code = _code.ToString();
        Comments = _comments.ToString();
    }

    private void SkipLiteral(char quote)
    {
        int quotes = 1;
        while (quote == '"' && _at + quotes < _text.Length && _text[_at + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3)
        {
            _at = EndOf(new string('"', quotes), quotes) + quotes;
            return;
        }

        bool isVerbatim = _at > 0 && (_text[_at - 1] == '@' || (_at > 1 && _text[_at - 1] == '$' && _text[_at - 2] == '@'));
        for (_at++; _at < _text.Length && _text[_at] != quote; _at++)
        {
            _at += _text[_at] == '\\' && !isVerbatim ? 1 : 0;
        }

        _at++;
    }

    private bool At(string mark) => string.CompareOrdinal(_text, _at, mark, 0, mark.Length) == 0;

    private int EndOf(string mark, int skipped)
    {
        int end = _text.IndexOf(mark, _at + skipped, StringComparison.Ordinal);
        return end < 0 ? _text.Length : end;
    }

    private void Copy(StringBuilder to, int end)
    {
        for (end = Math.Min(end, _text.Length); _at < end; _at++)
        {
            to[_at] = _text[_at];
        }
    }
}
