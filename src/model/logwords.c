#include "config.h"

#include "model/logwords.h"

#include <string.h>

#include "base/compat.h"

const char *const log_severity_names[LOGSEV_COUNT] = {
#define X(sym, name) [LOGSEV_##sym] = name,
	LOGSEV_LIST(X)
#undef X
};

const struct log_kind_info log_kinds[LOGKIND_COUNT] = {
#define X(sym, name, text) [LOGKIND_##sym] = { name, text },
	LOGKIND_LIST(X)
#undef X
};

/* clang-format off */
/* Where two severities share a word (ka: NOTICE and WARNING) the graver one is meant. */
static const struct {
	const char *word;
	enum log_severity severity;
} severities[] = {
	{ "LOG", LOGSEV_LOG }, { "ERROR", LOGSEV_ERROR }, { "WARNING", LOGSEV_WARNING },
	{ "FATAL", LOGSEV_FATAL }, { "PANIC", LOGSEV_PANIC }, { "NOTICE", LOGSEV_NOTICE },
	{ "INFO", LOGSEV_INFO }, { "DEBUG", LOGSEV_DEBUG }, { "DEBUG1", LOGSEV_DEBUG },
	{ "DEBUG2", LOGSEV_DEBUG }, { "DEBUG3", LOGSEV_DEBUG }, { "DEBUG4", LOGSEV_DEBUG },
	{ "DEBUG5", LOGSEV_DEBUG },
	/* de */
	{ "HINWEIS", LOGSEV_NOTICE }, { "WARNUNG", LOGSEV_WARNING }, { "FEHLER", LOGSEV_ERROR },
	{ "PANIK", LOGSEV_PANIC },
	/* fr */
	{ "ATTENTION", LOGSEV_WARNING }, { "ERREUR", LOGSEV_ERROR },
	/* it */
	{ "NOTIFICA", LOGSEV_NOTICE }, { "ATTENZIONE", LOGSEV_WARNING }, { "ERRORE", LOGSEV_ERROR },
	{ "FATALE", LOGSEV_FATAL }, { "PANICO", LOGSEV_PANIC },
	/* sv */
	{ "LOGG", LOGSEV_LOG }, { "NOTIS", LOGSEV_NOTICE }, { "VARNING", LOGSEV_WARNING },
	{ "FEL", LOGSEV_ERROR }, { "FATALT", LOGSEV_FATAL },
	/* ru */
	{ "ОТЛАДКА", LOGSEV_DEBUG }, { "СООБЩЕНИЕ", LOGSEV_LOG }, { "ИНФОРМАЦИЯ", LOGSEV_INFO },
	{ "ЗАМЕЧАНИЕ", LOGSEV_NOTICE }, { "ПРЕДУПРЕЖДЕНИЕ", LOGSEV_WARNING },
	{ "ОШИБКА", LOGSEV_ERROR }, { "ВАЖНО", LOGSEV_FATAL }, { "ПАНИКА", LOGSEV_PANIC },
	/* uk */
	{ "НАЛАГОДЖЕННЯ", LOGSEV_DEBUG }, { "ЗАПИСУВАННЯ", LOGSEV_LOG },
	{ "ІНФОРМАЦІЯ", LOGSEV_INFO }, { "ПОВІДОМЛЕННЯ", LOGSEV_NOTICE },
	{ "ПОПЕРЕДЖЕННЯ", LOGSEV_WARNING }, { "ПОМИЛКА", LOGSEV_ERROR },
	{ "ФАТАЛЬНО", LOGSEV_FATAL }, { "ПАНІКА", LOGSEV_PANIC },
	/* ka */
	{ "გამართვა", LOGSEV_DEBUG }, { "ჟურნალი", LOGSEV_LOG }, { "ინფორმაცია", LOGSEV_INFO },
	{ "გაფრთხილება", LOGSEV_WARNING }, { "შეცდომა", LOGSEV_ERROR },
	{ "ფატალური", LOGSEV_FATAL }, { "პანიკა", LOGSEV_PANIC },
	/* ko */
	{ "디버그", LOGSEV_DEBUG }, { "로그", LOGSEV_LOG }, { "정보", LOGSEV_INFO },
	{ "알림", LOGSEV_NOTICE }, { "경고", LOGSEV_WARNING }, { "오류", LOGSEV_ERROR },
	{ "치명적오류", LOGSEV_FATAL }, { "손상", LOGSEV_PANIC },
	/* zh_CN */
	{ "调试", LOGSEV_DEBUG }, { "日志", LOGSEV_LOG }, { "信息", LOGSEV_INFO },
	{ "注意", LOGSEV_NOTICE }, { "警告", LOGSEV_WARNING }, { "错误", LOGSEV_ERROR },
	{ "致命错误", LOGSEV_FATAL }, { "比致命错误还过分的错误", LOGSEV_PANIC },
};

/* With all that stands between the word and the text. */
static const struct {
	const char *text;
	enum log_label label;
} labels[] = {
	{ "DETAIL:  ", LOGLABEL_DETAIL }, { "HINT:  ", LOGLABEL_HINT },
	{ "QUERY:  ", LOGLABEL_QUERY }, { "CONTEXT:  ", LOGLABEL_CONTEXT },
	{ "LOCATION:  ", LOGLABEL_LOCATION }, { "STATEMENT:  ", LOGLABEL_STATEMENT },
	{ "BACKTRACE:  ", LOGLABEL_BACKTRACE },
	/* de */
	{ "TIPP:  ", LOGLABEL_HINT }, { "ANFRAGE:  ", LOGLABEL_QUERY },
	{ "ZUSAMMENHANG:  ", LOGLABEL_CONTEXT }, { "ORT:  ", LOGLABEL_LOCATION },
	{ "ANWEISUNG:  ", LOGLABEL_STATEMENT },
	/* es */
	{ "DETALLE:  ", LOGLABEL_DETAIL }, { "CONSULTA:  ", LOGLABEL_QUERY },
	{ "CONTEXTO:  ", LOGLABEL_CONTEXT }, { "UBICACIÓN:  ", LOGLABEL_LOCATION },
	{ "SENTENCIA:  ", LOGLABEL_STATEMENT },
	/* fr */
	{ "DÉTAIL:  ", LOGLABEL_DETAIL }, { "ASTUCE :  ", LOGLABEL_HINT },
	{ "REQUÊTE :  ", LOGLABEL_QUERY }, { "CONTEXTE :  ", LOGLABEL_CONTEXT },
	{ "EMPLACEMENT :  ", LOGLABEL_LOCATION }, { "INSTRUCTION :  ", LOGLABEL_STATEMENT },
	{ "PILE D'APPEL : ", LOGLABEL_BACKTRACE },
	/* it */
	{ "DETTAGLI:  ", LOGLABEL_DETAIL }, { "SUGGERIMENTO:  ", LOGLABEL_HINT },
	{ "CONTESTO:  ", LOGLABEL_CONTEXT }, { "POSIZIONE:  ", LOGLABEL_LOCATION },
	{ "ISTRUZIONE:  ", LOGLABEL_STATEMENT },
	/* ja */
	{ "詳細:  ", LOGLABEL_DETAIL }, { "ヒント:  ", LOGLABEL_HINT },
	{ "問い合わせ:  ", LOGLABEL_QUERY }, { "文脈:  ", LOGLABEL_CONTEXT },
	{ "場所:  ", LOGLABEL_LOCATION }, { "文:  ", LOGLABEL_STATEMENT },
	{ "バックトレース:  ", LOGLABEL_BACKTRACE },
	/* ka */
	{ "დეტალები:  ", LOGLABEL_DETAIL }, { "მინიშნება:  ", LOGLABEL_HINT },
	{ "მოთხოვნა:  ", LOGLABEL_QUERY }, { "კონტექსტი:  ", LOGLABEL_CONTEXT },
	{ "მდებარეობა:   ", LOGLABEL_LOCATION }, { "ოპერატორი:  ", LOGLABEL_STATEMENT },
	{ "სტეკი:  ", LOGLABEL_BACKTRACE },
	/* ko */
	{ "상세정보:  ", LOGLABEL_DETAIL }, { "힌트:  ", LOGLABEL_HINT }, { "쿼리:", LOGLABEL_QUERY },
	{ "내용:  ", LOGLABEL_CONTEXT }, { "위치: ", LOGLABEL_LOCATION },
	{ "명령 구문:  ", LOGLABEL_STATEMENT }, { "역추적:  ", LOGLABEL_BACKTRACE },
	/* ru */
	{ "ПОДРОБНОСТИ:  ", LOGLABEL_DETAIL }, { "ПОДСКАЗКА:  ", LOGLABEL_HINT },
	{ "ЗАПРОС:  ", LOGLABEL_QUERY }, { "КОНТЕКСТ:  ", LOGLABEL_CONTEXT },
	{ "ПОЛОЖЕНИЕ: ", LOGLABEL_LOCATION }, { "ОПЕРАТОР:  ", LOGLABEL_STATEMENT },
	{ "СТЕК:  ", LOGLABEL_BACKTRACE },
	/* sv */
	{ "DETALJ:  ", LOGLABEL_DETAIL }, { "TIPS:  ", LOGLABEL_HINT },
	{ "FRÅGA:  ", LOGLABEL_QUERY }, { "KONTEXT:  ", LOGLABEL_CONTEXT },
	{ "PLATS:  ", LOGLABEL_LOCATION }, { "SATS:  ", LOGLABEL_STATEMENT },
	/* uk */
	{ "ВІДОМОСТІ:  ", LOGLABEL_DETAIL }, { "УКАЗІВКА:  ", LOGLABEL_HINT },
	{ "ЗАПИТ:  ", LOGLABEL_QUERY }, { "РОЗТАШУВАННЯ:  ", LOGLABEL_LOCATION },
	{ "ІНСТРУКЦІЯ:  ", LOGLABEL_STATEMENT }, { "ВІДСТЕЖУВАТИ:  ", LOGLABEL_BACKTRACE },
	/* zh_CN */
	{ "详细信息:  ", LOGLABEL_DETAIL }, { "提示:  ", LOGLABEL_HINT },
	{ "查询:  ", LOGLABEL_QUERY }, { "上下文:  ", LOGLABEL_CONTEXT },
	{ "位置:  ", LOGLABEL_LOCATION }, { "语句:  ", LOGLABEL_STATEMENT },
};

static const char *const durations[] = {
	"duration: ", "Dauer: ", "duración: ", "durée : ", "durata: ", "期間: ",
	"ხანგრძლივობა: ", "실행시간: ", "продолжительность: ", "varaktighet: ", "varaktighet ",
	"тривалість: ", "执行时间: ",
};

static const char *const deadlocks[] = {
	"deadlock detected", "Verklemmung (Deadlock) entdeckt", "se ha detectado un deadlock",
	"interblocage (deadlock) détecté", "rilevato deadlock", "デッドロックを検出しました",
	"ნაპოვნია ურთიერთბლოკირება", "deadlock 발생했음", "обнаружена взаимоблокировка",
	"deadlock upptäckt", "виявлено взаємне блокування", "检测到死锁",
};
/* clang-format on */

static bool
begins(const char *s, size_t len, const char *with, size_t n)
{
	return len >= n && memcmp(s, with, n) == 0;
}

bool
logwords_severity(const char *s, size_t len, enum log_severity *severity, size_t *used)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++) {
		size_t n = strlen(severities[i].word);

		if (!begins(s, len, severities[i].word, n) || !begins(s + n, len - n, ":  ", 3))
			continue;
		*severity = severities[i].severity;
		*used = n + 3;
		return true;
	}
	return false;
}

bool
logwords_label(const char *s, size_t len, enum log_label *label, size_t *used)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		size_t n = strlen(labels[i].text);

		if (!begins(s, len, labels[i].text, n))
			continue;
		*label = labels[i].label;
		*used = n;
		return true;
	}
	return false;
}

enum log_severity
logwords_severity_word(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++)
		if (strlen(severities[i].word) == len && memcmp(s, severities[i].word, len) == 0)
			return severities[i].severity;
	return LOGSEV_NONE;
}

size_t
logwords_duration(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		size_t n = strlen(durations[i]);

		if (begins(s, len, durations[i], n) && len > n && s[n] >= '0' && s[n] <= '9')
			return n;
	}
	return 0;
}

bool
logwords_is_deadlock(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(deadlocks); i++)
		if (strlen(deadlocks[i]) == len && memcmp(s, deadlocks[i], len) == 0)
			return true;
	return false;
}
