# Turns the output of `tmux capture-pane -e -p` into an SVG picture. POSIX awk.
# Variables: cols (columns of the screen), title.

function hex2(n) { return sprintf("%02x", n) }

function colour(n,   v, r, g, b) {
	if (n < 16)
		return base[n]
	if (n >= 232) {
		v = 8 + (n - 232) * 10
		return "#" hex2(v) hex2(v) hex2(v)
	}
	n -= 16
	r = int(n / 36); g = int(n / 6) % 6; b = n % 6
	return "#" hex2(r ? 55 + r * 40 : 0) hex2(g ? 55 + g * 40 : 0) hex2(b ? 55 + b * 40 : 0)
}

function reset() { fg = ""; bg = ""; bold = 0; dim = 0; rev = 0; under = 0 }

function sgr(params,   p, n, i) {
	n = split(params, p, /[;:]/)
	if (n == 0) { reset(); return }
	for (i = 1; i <= n; i++) {
		if (p[i] == "" || p[i] == 0) reset()
		else if (p[i] == 1) bold = 1
		else if (p[i] == 2) dim = 1
		else if (p[i] == 4) under = 1
		else if (p[i] == 7) rev = 1
		else if (p[i] == 22) { bold = 0; dim = 0 }
		else if (p[i] == 24) under = 0
		else if (p[i] == 27) rev = 0
		else if (p[i] >= 30 && p[i] <= 37) fg = colour(p[i] - 30)
		else if (p[i] >= 90 && p[i] <= 97) fg = colour(p[i] - 82)
		else if (p[i] >= 40 && p[i] <= 47) bg = colour(p[i] - 40)
		else if (p[i] >= 100 && p[i] <= 107) bg = colour(p[i] - 92)
		else if (p[i] == 39) fg = ""
		else if (p[i] == 49) bg = ""
		else if ((p[i] == 38 || p[i] == 48) && p[i + 1] == 5) {
			if (p[i] == 38) fg = colour(p[i + 2]); else bg = colour(p[i + 2])
			i += 2
		} else if ((p[i] == 38 || p[i] == 48) && p[i + 1] == 2) {
			if (p[i] == 38) fg = "#" hex2(p[i + 2]) hex2(p[i + 3]) hex2(p[i + 4])
			else bg = "#" hex2(p[i + 2]) hex2(p[i + 3]) hex2(p[i + 4])
			i += 4
		}
	}
}

# Characters, not bytes: continuation bytes of UTF-8 do not count.
function chars(s,   t) {
	t = s
	gsub(/[\200-\277]/, "", t)
	return length(t)
}

function escape(s) {
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	gsub(/>/, "\\&gt;", s)
	return s
}

function emit(text,   n, f, b, style) {
	if (text == "")
		return
	n = chars(text)
	f = fg == "" ? "#d0d0d0" : fg
	b = bg
	if (rev) { b = f; f = bg == "" ? "#101418" : bg }
	if (b != "")
		rects = rects sprintf("<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", \
		    8 + x * W, 34 + y * H, n * W + 0.3, H, b)
	if (text !~ /^ *$/) {
		style = bold ? " font-weight=\"bold\"" : ""
		if (dim) style = style " opacity=\"0.65\""
		if (under) style = style " text-decoration=\"underline\""
		texts = texts sprintf("<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" fill=\"%s\"%s>%s</text>\n", \
		    8 + x * W, 34 + y * H + 13, n * W, f, style, escape(text))
	}
	x += n
}

BEGIN {
	W = 8.4; H = 17
	split("#101418 #d75f5f #87af5f #d7af5f #5f87d7 #af87d7 #5fafaf #d0d0d0 #808080 #ff8787 #afd787 #ffd787 #87afff #d7afff #87d7d7 #ffffff", c16, " ")
	for (i = 1; i <= 16; i++) base[i - 1] = c16[i]
	reset()
}
{
	x = 0
	line = $0
	while (match(line, /\033\[[0-9;:]*m/)) {
		emit(substr(line, 1, RSTART - 1))
		sgr(substr(line, RSTART + 2, RLENGTH - 3))
		line = substr(line, RSTART + RLENGTH)
	}
	emit(line)
	y++
}
END {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" font-size=\"14\" xml:space=\"preserve\">\n", \
	    16 + cols * W, 44 + y * H
	printf "<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"#101418\"/>\n<text x=\"10\" y=\"20\" fill=\"#808080\">%s</text>\n", escape(title)
	printf "%s%s</svg>\n", rects, texts
}
