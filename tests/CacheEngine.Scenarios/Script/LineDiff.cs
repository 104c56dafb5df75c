namespace CacheEngine.Scenarios.Script;

/// <summary>Two lists of lines side by side: what is only in the first with a minus, only in the second with a plus, some lines around them, the rest left out.</summary>
internal static class LineDiff
{
    private const int Around = 4;

    public static string Of(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        List<string> all = Merge(expected, actual);
        bool[] isShown = new bool[all.Count];
        for (int i = 0; i < all.Count; i++)
        {
            if (all[i][0] != ' ')
            {
                Array.Fill(isShown, true, Math.Max(0, i - Around), Math.Min(all.Count - 1, i + Around) - Math.Max(0, i - Around) + 1);
            }
        }

        List<string> shown = [];
        for (int i = 0; i < all.Count; i++)
        {
            if (isShown[i])
            {
                shown.Add(all[i]);
            }
            else if (i == 0 || isShown[i - 1])
            {
                shown.Add("  ...");
            }
        }

        return string.Join('\n', shown);
    }

    /// <summary>By the longest common subsequence: transcripts are short.</summary>
    private static List<string> Merge(IReadOnlyList<string> left, IReadOnlyList<string> right)
    {
        int[,] common = new int[left.Count + 1, right.Count + 1];
        for (int i = left.Count - 1; i >= 0; i--)
        {
            for (int j = right.Count - 1; j >= 0; j--)
            {
                common[i, j] = left[i] == right[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        List<string> merged = [];
        int l = 0;
        int r = 0;
        while (l < left.Count || r < right.Count)
        {
            if (l < left.Count && r < right.Count && left[l] == right[r])
            {
                merged.Add($"  {left[l++]}");
                r++;
            }
            else if (r == right.Count || (l < left.Count && common[l + 1, r] >= common[l, r + 1]))
            {
                merged.Add($"- {left[l++]}");
            }
            else
            {
                merged.Add($"+ {right[r++]}");
            }
        }

        return merged;
    }
}
